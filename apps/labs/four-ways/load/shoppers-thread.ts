/**
 * The crowd, in a thread of its own: everybody comes when it was planned, however long others have been waiting
 * (open loop), so that a slow way cannot make its own load lighter.
 *
 * What can go wrong: this thread is late, and then waits count from the planned moment, not from the late one; how
 * many came in a second is what was really sent in it, which tells a load that was too much for this machine.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import type { FourWaysPlan } from "@plateau/domain";
import { Pool } from "undici";
import { arrivalTimes } from "./arrivals.ts";
import { type LoadEnd, type LoadMessage, type LoadOrder, percentile } from "./load-second.ts";
import { buy, type Outcome } from "./shopper.ts";

/** Everybody who waits holds a connection. */
const connections = 4_096;
const tickMs = 4;
/** One in so many comes with a program that risk control knows. */
const emulatorEvery = 40;

interface Known {
  readonly arrivedInMs: number;
  readonly knewInMs: number;
  readonly outcome: Outcome;
}

await run(workerData as LoadOrder);

async function run(order: LoadOrder): Promise<void> {
  const phases = order.phases as FourWaysPlan["phases"];
  const times = arrivalTimes({ seed: order.seed, phases });
  const sinceStartMs = (): number => performance.timeOrigin + performance.now() - order.startsAtMs;
  const pool = new Pool(order.url, { connections, headersTimeout: 0, bodyTimeout: 0 });
  const patience = new AbortController();
  const told = new Map<string, Outcome>();
  const known: Known[] = [];
  const sentInMs: number[] = [];
  let waiting = 0;

  const come = async (number: number, arrivedInMs: number): Promise<void> => {
    const userId = `u${order.seed}-${number}`;
    const deviceId = number % emulatorEvery === 0 ? `emulator-${number}` : `phone-${number}`;
    waiting += 1;
    const outcome = await buy(pool, { saleId: order.saleId, userId, deviceId, signal: patience.signal });
    waiting -= 1;
    told.set(userId, outcome);
    known.push({ arrivedInMs, knewInMs: sinceStartMs(), outcome });
  };

  const lastArrivals = phases.filter(({ arrivalsPerSecond }) => arrivalsPerSecond > 0);
  const arrivalsMs = sum(lastArrivals.map(({ seconds }) => seconds)) * 1_000;
  const endMs = sum(phases.map(({ seconds }) => seconds)) * 1_000;
  const everybody: Promise<void>[] = [];
  let reported = 0;
  const reportUntil = (ms: number): void => {
    for (; (reported + 1) * 1_000 <= ms; reported++) {
      post({ type: "second", second: secondOf(reported, sentInMs, known) });
    }
  };
  for (let nowMs = 0; nowMs <= endMs && (nowMs <= arrivalsMs || waiting > 0); ) {
    await delay(tickMs);
    nowMs = sinceStartMs();
    for (let time = times[everybody.length]; time !== undefined && time <= nowMs; time = times[everybody.length]) {
      sentInMs.push(nowMs);
      everybody.push(come(everybody.length, time));
    }
    reportUntil(nowMs);
  }
  patience.abort();
  await Promise.all(everybody);
  // The last second is told as far as it went.
  reportUntil(sinceStartMs() + 1_000);
  await pool.destroy();
  post({ type: "end", end: endOf(phases, known, told) });
}

function secondOf(second: number, sentInMs: readonly number[], known: readonly Known[]) {
  const within = (ms: number): boolean => ms >= second * 1_000 && ms < (second + 1) * 1_000;
  const now = known.filter(({ knewInMs }) => within(knewInMs));
  const count = (wanted: Outcome): number => now.filter(({ outcome }) => outcome === wanted).length;
  const waits = waitsOf(now);
  return {
    second,
    arrivals: sentInMs.filter(within).length,
    accepted: count("accepted"),
    declined: count("declined"),
    refused: count("refused"),
    failed: count("failed"),
    p50Ms: percentile(waits, 0.5),
    p99Ms: percentile(waits, 0.99),
  };
}

function endOf(phases: FourWaysPlan["phases"], known: readonly Known[], told: ReadonlyMap<string, Outcome>): LoadEnd {
  const spike = phases.findIndex(({ name }) => name === "spike");
  const fromMs = sum(phases.slice(0, spike).map(({ seconds }) => seconds)) * 1_000;
  const toMs = fromMs + (phases[spike]?.seconds ?? 0) * 1_000;
  const waits = waitsOf(known.filter(({ arrivedInMs }) => arrivedInMs >= fromMs && arrivedInMs < toMs));
  return { told, spikeP50Ms: percentile(waits, 0.5), spikeP99Ms: percentile(waits, 0.99) };
}

function waitsOf(known: readonly Known[]): number[] {
  return known.map(({ arrivedInMs, knewInMs }) => Math.round(knewInMs - arrivedInMs));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function post(message: LoadMessage): void {
  parentPort?.postMessage(message);
}

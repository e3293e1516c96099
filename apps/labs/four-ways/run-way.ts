/**
 * One way from start to truth: it is started on tables and a log of its own, loaded, left to finish what follows,
 * examined, and stopped.
 *
 * What can go wrong: it does not finish. It is given some seconds, and what is still to be done then makes its truth
 * `unknown`. Promise: whatever happens, nothing of it runs on afterwards.
 */
import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { FourWaysCheck, FourWaysPlan, FourWaysSecond, FourWaysSummary, Way } from "@plateau/domain";
import { StopList } from "@plateau/hosting";
import { openLogEngine, openQueue } from "queue-core";
import { startAllSynchronous } from "./all-synchronous.ts";
import { LabDatabase } from "./lab-database.ts";
import type { LoadEnd, LoadMessage, LoadOrder, LoadSecond } from "./load/load-second.ts";
import { startRequestQueue } from "./request-queue.ts";
import { Steps } from "./steps.ts";
import { summarise } from "./summary.ts";
import { startTokenBucket } from "./token-bucket.ts";
import { examine } from "./truth.ts";
import { startTwoSynchronous } from "./two-synchronous.ts";
import type { RunningWay, StartWay, WaySettings } from "./way.ts";

export const startOf: Readonly<Record<Way, StartWay>> = {
  "all-synchronous": startAllSynchronous,
  "two-synchronous": startTwoSynchronous,
  "request-queue": startRequestQueue,
  "token-bucket": startTokenBucket,
};

/** What the ways are run on. The schema is there, and the providers take the times of `settings`. */
export interface Place {
  readonly databaseUrl: string;
  readonly sandboxUrl: string;
  /** Of this experiment alone. */
  readonly folder: string;
  readonly settings: WaySettings;
}

export interface StartedWay {
  readonly saleId: string;
  readonly running: RunningWay;
  readonly database: LabDatabase;
  /** What was stored and told, with what the shoppers say or, without them, with what the way says it told. */
  examine(told?: LoadEnd["told"]): Promise<readonly FourWaysCheck[]>;
  stop(): Promise<void>;
}

/** What follows an accepted purchase is done by then, or never. */
const finishWithinMs = 20_000;
const lookEveryMs = 100;
const loopLookMs = 10;
/** The first second of a run is not spent on loading a thread. */
const threadStartMs = 700;

/** Resolves when it serves. */
export async function startWay(way: Way, stock: number, place: Place): Promise<StartedWay> {
  const { databaseUrl, sandboxUrl, folder, settings } = place;
  const saleId = `${way}-${randomBytes(4).toString("hex")}`;
  const parts = new StopList();
  try {
    const database = parts.add(new LabDatabase(databaseUrl, settings.databaseConnections), (one) => one.stop());
    await database.query("INSERT INTO stock VALUES ($1, $2, $2)", [saleId, stock]);
    const steps = parts.add(new Steps({ database, sandboxUrl, settings }), (one) => one.stop());
    const running = parts.add(
      await startOf[way]({
        saleId,
        stock,
        settings,
        steps,
        async openQueue(topics) {
          const directory = join(folder, saleId);
          await mkdir(directory, { recursive: true });
          const engine = await openLogEngine({ directory });
          const queue = await openQueue({ engine, topics: [...topics], onBackgroundError: () => undefined });
          parts.add(queue, async () => {
            await queue.stop();
            await rm(directory, { recursive: true, force: true });
          });
          return queue;
        },
        async unitsInDatabase() {
          const rows = await database.query<{ available: number }>("SELECT available FROM stock WHERE sale_id = $1", [
            saleId,
          ]);
          return rows[0]?.available ?? 0;
        },
      }),
      (one) => one.stop(),
    );
    const evidence = { saleId, stock, running, database, sandboxUrl };
    return { saleId, running, database, examine: (told) => examineWay(evidence, told), stop: () => parts.stop() };
  } catch (error) {
    await parts.stop().catch(() => undefined);
    throw error;
  }
}

export interface WayResult {
  readonly summary: FourWaysSummary;
  readonly truth: readonly FourWaysCheck[];
  /** How late this thread came to its work, p99, ms: high where the machine is busy with something else. */
  readonly heldUpMs: number;
}

/** Rejects with the signal's reason where it is aborted. */
export async function runWay(options: {
  readonly way: Way;
  readonly plan: FourWaysPlan;
  readonly place: Place;
  readonly signal: AbortSignal;
  readonly onSecond: (second: FourWaysSecond) => void;
  readonly onChecking: () => void;
}): Promise<WayResult> {
  const { way, plan, place, signal } = options;
  const started = await startWay(way, plan.stock, place);
  const heldUp = monitorEventLoopDelay({ resolution: loopLookMs });
  try {
    const seconds: FourWaysSecond[] = [];
    const sample = sampler(started);
    heldUp.enable();
    const end = await load(started, plan, signal, async (seen) => {
      const second = { ...seen, ...(await sample()) };
      seconds.push(second);
      options.onSecond(second);
    });
    heldUp.disable();
    options.onChecking();
    const truth = await started.examine(end.told);
    const heldUpMs = Math.max(0, heldUp.percentile(99) / 1e6 - loopLookMs);
    return { summary: summarise(seconds, end, plan), truth, heldUpMs };
  } finally {
    heldUp.disable();
    await started.stop();
  }
}

type Sample = Pick<FourWaysSecond, "databaseStatements" | "databaseBusy" | "backlog" | "following">;

/** Per second since the sample before. */
function sampler({ database, running }: StartedWay): () => Promise<Sample> {
  let before = database.use;
  let sinceMs = performance.now();
  return async () => {
    const { use } = database;
    const nowMs = performance.now();
    const elapsedMs = Math.max(1, nowMs - sinceMs);
    const statements = ((use.statements - before.statements) * 1_000) / elapsedMs;
    const busy = (use.busyMs - before.busyMs) / elapsedMs;
    before = use;
    sinceMs = nowMs;
    const backlog = running.backlog();
    return {
      databaseStatements: Math.round(statements),
      databaseBusy: Math.round(busy * 100) / 100,
      backlog,
      following: await running.following(),
    };
  };
}

/** Resolves when everybody knows, or nobody waits any longer. */
async function load(
  { running, saleId }: StartedWay,
  { seed, phases }: FourWaysPlan,
  signal: AbortSignal,
  onSecond: (second: LoadSecond) => Promise<void>,
): Promise<LoadEnd> {
  signal.throwIfAborted();
  const startsAtMs = performance.timeOrigin + performance.now() + threadStartMs;
  const order: LoadOrder = { url: running.url, saleId, startsAtMs, seed, phases };
  const thread = new Worker(new URL("./load/shoppers-thread.ts", import.meta.url), { workerData: order, execArgv: [] });
  let told: Promise<void> = Promise.resolve();
  try {
    return await new Promise<LoadEnd>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      thread.once("error", reject);
      thread.on("message", (message: LoadMessage) => {
        if (message.type === "second") told = told.then(() => onSecond(message.second));
        else told.then(() => resolve(message.end), reject);
      });
    });
  } finally {
    await thread.terminate();
  }
}

interface EvidenceSource {
  readonly saleId: string;
  readonly stock: number;
  readonly running: RunningWay;
  readonly database: LabDatabase;
  readonly sandboxUrl: string;
}

async function examineWay(
  { saleId, stock, running, database, sandboxUrl }: EvidenceSource,
  told?: LoadEnd["told"],
): Promise<readonly FourWaysCheck[]> {
  const untilMs = performance.now() + finishWithinMs;
  let following = await running.following();
  while ((following > 0 || running.backlog() > 0) && performance.now() < untilMs) {
    await delay(lookEveryMs);
    following = await running.following();
  }
  const orders = await database.query<{ purchase_id: string; user_id: string }>(
    "SELECT purchase_id, user_id FROM orders WHERE sale_id = $1",
    [saleId],
  );
  const counted = await database.query<{ won: number }>("SELECT won FROM statistics WHERE sale_id = $1", [saleId]);
  return examine({
    stock,
    unitsLeft: await running.unitsLeft(),
    orders: orders.map((row) => ({ purchaseId: row.purchase_id, userId: row.user_id })),
    messages: await messagesOf(sandboxUrl, saleId),
    counted: counted[0]?.won ?? 0,
    following: following + running.backlog(),
    told: told ?? outcomesOf(running),
  });
}

const outcomes = { won: "accepted", sold_out: "declined", rejected: "declined", expired: "failed" } as const;

/** Refusals are not kept: they bind nothing. */
function outcomesOf(running: RunningWay): LoadEnd["told"] {
  return new Map(
    [...running.told()].flatMap(([userId, state]) => (state === "refused" ? [] : [[userId, outcomes[state]] as const])),
  );
}

/** The purchase of each message that the provider has sent. */
async function messagesOf(sandboxUrl: string, saleId: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for (let after: number | null | undefined = 0; after !== null && after !== undefined; ) {
    const answer = await fetch(`${sandboxUrl}/sms?prefix=${saleId}.&after=${after}`);
    const page = (await answer.json()) as { messages: readonly { key: string }[]; next: number | null };
    keys.push(...page.messages.map(({ key }) => key));
    after = page.messages.length === 0 ? null : page.next;
  }
  return keys;
}

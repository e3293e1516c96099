/**
 * A million state entries of 120 bytes on the log engine: what they cost in memory, the longest time for which the
 * engine's thread does nothing else while a snapshot is taken, and the same while half a million expire at once.
 *
 * What can go wrong: a process that wrote 200 MB through an engine keeps pages of its garbage, whatever the state. So
 * memory is compared with a process that wrote as much over a thousand entries.
 */
import { readdirSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { type Engine, openLogEngine, stateNamespace } from "../src/index.ts";
import { inOwnFolder } from "./bed.ts";
import { growthMB, memoryAtRest } from "./memory.ts";
import { inOwnProcess } from "./own-process.ts";
import { type BenchOptions, type BenchRow, median } from "./row.ts";
import { classes, keyOf, writeEntries } from "./state-entries.ts";

const entries = 1_000_000;
const namespaces = Array.from({ length: 8 }, (_, partition) => stateNamespace("stock", "commands", partition));
const perNamespace = entries / namespaces.length;
const longestWaitMs = 60_000;
const quietMs = 3_000;

interface Measured {
  readonly grownMB: number;
  readonly snapshotPauseMs: number;
  /** Under the same load, without a snapshot: what the rest of the machine does to a thread. */
  readonly quietPauseMs: number;
  readonly expiryPauseMs: number;
}

/** At most three rounds: each fills a log anew. */
export function benchStateMillion(options: BenchOptions): Promise<readonly BenchRow[]> {
  return inOwnFolder("state", async (folder) => {
    const rounds = Math.min(3, options.rounds);
    const measured: Measured[] = [];
    const rewritingMB: number[] = [];
    for (let round = 0; round < rounds; round++) {
      measured.push(await inOwnProcess<Measured>(import.meta.url, "measureState", `${folder}/${round}`));
      rewritingMB.push(await inOwnProcess<number>(import.meta.url, "measureRewriting", `${folder}/${round}-few`));
    }
    const row = (what: string, unit: string, bar: number, of: (one: Measured) => number): BenchRow => ({
      name: `1 million state entries, ${what}`,
      unit,
      ours: median(measured.map(of)),
      rounds,
      bar,
      barIs: "at most",
    });
    const theirs = median(measured.map(({ quietPauseMs }) => quietPauseMs));
    const costs = measured.map(({ grownMB }, round) => grownMB - (rewritingMB[round] as number));
    const few = Math.round(median(rewritingMB));
    return [
      {
        ...row("memory", "MB", 400, () => median(costs)),
        note: `state memory: beyond the ${few} MB by which a process grows that writes as much over 1,000 entries`,
      },
      {
        ...row("longest pause with a snapshot", "ms", 50, ({ snapshotPauseMs }) => snapshotPauseMs),
        theirs,
        note: "longest pause: theirs is the same load without a snapshot and without anything that expires",
      },
      { ...row("longest pause as half expire", "ms", 50, ({ expiryPauseMs }) => expiryPauseMs), theirs },
    ];
  });
}

/** Runs in a process of its own. */
export async function measureState(directory: string): Promise<Measured> {
  let laterMs = 0;
  const clock = { wallMs: Date.now, monotonicMs: () => performance.now() + laterMs };
  const engine = await openLogEngine({ directory, clock });
  try {
    const before = await memoryAtRest();
    for (const namespace of namespaces) await writeEntries(engine, namespace, perNamespace);
    await snapshotsEnded(directory);
    const grownMB = growthMB(before, await memoryAtRest());
    const quietEndsMs = performance.now() + quietMs;
    const quietPauseMs = await longestPauseUntil(engine, () => performance.now() > quietEndsMs);
    const known = snapshotsIn(directory);
    const snapshotPauseMs = await longestPauseUntil(engine, () => snapshotsIn(directory) !== known);
    laterMs = classes.result.lifeMs + 120_000;
    await assertExpired(engine);
    const left = entries / 2;
    const expiryPauseMs = await longestPauseUntil(engine, () => engine.statistics().stateEntries <= left);
    return { grownMB, snapshotPauseMs, quietPauseMs, expiryPauseMs };
  } finally {
    await engine.close();
  }
}

/** Runs in a process of its own: MB by which it grew. */
export async function measureRewriting(directory: string): Promise<number> {
  const engine = await openLogEngine({ directory });
  try {
    const before = await memoryAtRest();
    const few = (index: number): number => index % (1_000 / namespaces.length);
    for (const namespace of namespaces) await writeEntries(engine, namespace, perNamespace, few);
    await snapshotsEnded(directory);
    return growthMB(before, await memoryAtRest());
  } finally {
    await engine.close();
  }
}

async function snapshotsEnded(directory: string): Promise<void> {
  while (readdirSync(directory).some((name) => name.endsWith(".unfinished"))) await sleep(50);
}

function snapshotsIn(directory: string): string {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".snapshot"))
    .join();
}

/** Overwrites entries of the longer class meanwhile, in bursts that leave the thread some rest. */
async function longestPauseUntil(engine: Engine, isOver: () => boolean): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const endsMs = performance.now() + longestWaitMs;
  delay.enable();
  for (let burst = 0; !isOver(); burst++) {
    if (performance.now() > endsMs) throw new Error(`what was waited for did not come within ${longestWaitMs} ms`);
    const buyer = (index: number): number => ((burst * 1024 + index) * 2 + 1) % perNamespace;
    await writeEntries(engine, namespaces[burst % namespaces.length] as string, 1024, buyer);
    await sleep(1);
  }
  delay.disable();
  return delay.max / 1e6;
}

/** An expired class reads as absent at once, whenever it is freed. */
async function assertExpired(engine: Engine): Promise<void> {
  const [result, buyer] = await engine.readState(namespaces[0] as string, [keyOf(0), keyOf(1)]);
  if (result !== undefined || buyer === undefined) throw new Error("the wrong class of entries expired");
}

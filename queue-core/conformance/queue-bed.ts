/**
 * Where the contracts of `Queue` are tried: on each engine of the list, under time that only a test moves.
 *
 * What can go wrong: a test that sleeps is slow and fails on a busy machine. Here `eventually` lets the event loop
 * turn and moves engine time on in small steps until its condition holds; only a test that would fail waits long.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, afterEach, beforeEach, describe } from "vitest";
import { nodeDisk } from "../src/engines/log/writing/disk.ts";
import { openRedisEngine, type RedisEngine } from "../src/engines/redis/index.ts";
import {
  createMemoryEngine,
  type Engine,
  type ManualClock,
  manualClock,
  openLogEngine,
  openQueue,
  type Queue,
  type QueueOptions,
  type Timers,
} from "../src/index.ts";
import { overPort } from "./over-port.ts";
import { hasRedis, redisTitle, sharedRedis, stopSharedRedis } from "./redis-bed.ts";

interface EngineUnderTest {
  readonly title: string;
  /** Everything acknowledged is there after `restart`. */
  readonly isDurable: boolean;
  /** What it needs is not on this machine. */
  readonly isLeftOut?: boolean;
  open(clock: ManualClock, folder: string): Promise<Engine>;
}

/** Every engine that promises the contracts. */
export const enginesUnderTest: readonly EngineUnderTest[] = [
  { title: "memory", isDurable: false, open: async (clock) => createMemoryEngine({ clock }) },
  { title: "log", isDurable: true, open: (clock, folder) => openInlineLog(clock, folder) },
  {
    title: "ported log",
    isDurable: true,
    open: async (clock, folder) => overPort(await openInlineLog(clock, folder), clock),
  },
  {
    title: redisTitle,
    isDurable: true,
    isLeftOut: !hasRedis,
    open: async (clock, folder) => {
      const { url } = await sharedRedis();
      return watched(await openRedisEngine({ address: { url }, cell: basename(folder), clock }));
    },
  },
];

/** On real files, written in this thread: a thread for each test would take ten times as long. */
function openInlineLog(clock: ManualClock, folder: string): Promise<Engine> {
  return openLogEngine({ clock, directory: join(folder, "log"), disk: nodeDisk });
}

interface PlannedTimer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** Timers that fire as a test moves the clock. */
export class ManualTimers implements Timers {
  readonly #clock: ManualClock;
  readonly #planned = new Set<PlannedTimer>();
  #isSuspended = false;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  /** How many have neither fired nor been cancelled. */
  get pending(): number {
    return this.#planned.size;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { dueMs: this.#clock.monotonicMs() + Math.max(0, ms), run };
    this.#planned.add(timer);
    return () => this.#planned.delete(timer);
  }

  /** Until `resume`, time goes on but nothing fires: what a stopped process sees when it goes on. */
  suspend(): void {
    this.#isSuspended = true;
  }

  resume(): void {
    this.#isSuspended = false;
  }

  advance(ms: number): void {
    this.#clock.advance(ms);
    if (this.#isSuspended) return;
    const nowMs = this.#clock.monotonicMs();
    const due = [...this.#planned].filter((timer) => timer.dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs);
    for (const timer of due) if (this.#planned.delete(timer)) timer.run();
  }
}

export interface Bed {
  readonly timers: ManualTimers;
  readonly engine: Engine;
  /** What background loops reported. */
  readonly faults: { readonly where: string; readonly error: unknown }[];
  /** A queue as one process has it; several share the engine, as several processes would. */
  queue(topics: QueueOptions["topics"], options?: Partial<QueueOptions>): Promise<Queue>;
  /** Ends the engine under the queues that run on it, which are of no more use, and opens it again; durable ones only. */
  restart(): Promise<void>;
  /** Lets the event loop turn and time go on, up to 60 s of it, until the condition holds. */
  eventually(condition: () => boolean | Promise<boolean>): Promise<void>;
  /** Lets everything that is due now run its course. */
  settle(): Promise<void>;
}

/** Engine time that `eventually` may let pass, and the step in which it does. */
const patience = { timeMs: 60_000, stepMs: 10 };
/** A wall-clock bound for engines that need the disk. */
const patienceWallMs = 15_000;

/** Runs the same contracts on every engine. */
export function onEveryEngine(title: string, contracts: (bed: () => Bed) => void): void {
  onEngines(enginesUnderTest, title, contracts);
}

/** Runs the same contracts on every engine that promises to keep what it acknowledged. */
export function onEveryDurableEngine(title: string, contracts: (bed: () => Bed) => void): void {
  onEngines(
    enginesUnderTest.filter(({ isDurable }) => isDurable),
    title,
    contracts,
  );
}

function onEngines(engines: readonly EngineUnderTest[], title: string, contracts: (bed: () => Bed) => void): void {
  for (const under of engines) {
    describe.skipIf(under.isLeftOut === true)(`${title} on the ${under.title} engine`, () => {
      let bed: (Bed & { close(): Promise<void> }) | undefined;
      beforeEach(async () => {
        bed = await openBed(under);
      });
      afterEach(async () => {
        await bed?.close();
        bed = undefined;
      });
      contracts(() => bed as Bed);
    });
  }
  afterAll(stopSharedRedis);
}

async function openBed(under: EngineUnderTest): Promise<Bed & { close(): Promise<void> }> {
  const clock = manualClock();
  const timers = new ManualTimers(clock);
  const folder = mkdtempSync(join(tmpdir(), "queue-core-"));
  let engine = await under.open(clock, folder);
  const faults: Bed["faults"] = [];
  const queues: Queue[] = [];
  const bed: Bed & { close(): Promise<void> } = {
    timers,
    get engine() {
      return engine;
    },
    faults,
    async queue(topics, options = {}) {
      const onBackgroundError = (where: string, error: unknown) => faults.push({ where, error });
      const queue = await openQueue({ engine: leftOpen(engine), topics, timers, onBackgroundError, ...options });
      queues.push(queue);
      return queue;
    },
    async restart() {
      await engine.close();
      engine = await under.open(clock, folder);
    },
    async eventually(condition) {
      const wallEndMs = performance.now() + patienceWallMs;
      for (let passedMs = 0; !(await condition()); passedMs += patience.stepMs) {
        if (passedMs > patience.timeMs && performance.now() > wallEndMs)
          throw new Error(`never came true: ${condition}`);
        timers.advance(patience.stepMs);
        for (let turns = 0; turns < 3; turns++) await turn();
      }
    },
    async settle() {
      // A commit that waits its turn behind everything under way, a few times over: each step of a chain (publish,
      // decide, reply) is stored by then.
      for (let step = 0; step < 5; step++) {
        await engine.commit({ put: [{ namespace: "settled", key: "step", value: Buffer.from(String(step)) }] });
        await turn();
      }
    },
    async close() {
      // Grace is given by the test's own timers: time has to go on while queues stop.
      let isStopped = false;
      const stopping = Promise.all(queues.map((queue) => queue.stop())).finally(() => {
        isStopped = true;
      });
      await bed.eventually(() => isStopped);
      await stopping;
      await engine.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return bed;
}

/** Engines that answer when another process has answered: a test's time stands still until then. */
const remoteEngines = new Set<RedisEngine>();

function watched(engine: RedisEngine): Engine {
  remoteEngines.add(engine);
  const close = engine.close.bind(engine);
  engine.close = () => close().finally(() => remoteEngines.delete(engine));
  return engine;
}

/** Where a caller never stops asking, time has to go on all the same. */
const remotePatienceMs = 50;

/** Lets the event loop turn once, and then until what was asked of another process is answered. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  const isBusy = () => [...remoteEngines].some((engine) => engine.redisStatistics().underWay > 0);
  for (const endMs = performance.now() + remotePatienceMs; isBusy() && performance.now() < endMs; ) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The engine, whose end is the bed's business and not the queue's. */
export function leftOpen(engine: Engine): Engine {
  return withOverrides(engine, { close: async () => undefined });
}

/** The engine with some methods replaced, to plant faults. */
export function withOverrides(engine: Engine, overrides: Partial<Engine>): Engine {
  return new Proxy(engine, {
    get(target, name) {
      const override = Reflect.get(overrides, name);
      if (override !== undefined) return override;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A promise that a test settles. */
export function gate<T = void>(): { readonly promise: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

/** Runs the tool as a terminal would, and makes the logs that its tests look into. */
import { onTestFinished } from "vitest";
import { deadLetterEntry } from "../src/dead-letters.ts";
import type { Engine } from "../src/engine.ts";
import { type ManualClock, manualClock } from "../src/engines/clock.ts";
import { temporaryDirectory } from "../src/engines/log/log-bed.ts";
import { openLogEngine } from "../src/engines/log/open-log-engine.ts";
import { nodeDisk } from "../src/engines/log/writing/disk.ts";
import { registerGroup } from "../src/group-registry.ts";
import { openQueue } from "../src/open-queue.ts";
import { appendRequest } from "../src/publish.ts";
import type { Queue } from "../src/queue.ts";
import { type Codec, defineTopic } from "../src/topic.ts";
import { runQueueTool } from "./queue-tool.ts";

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function queueTool(...args: string[]): Promise<Run> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runQueueTool({
    args,
    program: "queue",
    print: (line) => out.push(line),
    complain: (line) => err.push(line),
  });
  return { code, out: out.join("\n"), err: err.join("\n") };
}

/** The one line with which it refuses; a run that does not is a failed test. */
export async function complaintOf(...args: string[]): Promise<string> {
  const { code, out, err } = await queueTool(...args);
  if (code !== 1 || out !== "" || err === "" || err.includes("\n")) {
    throw new Error(`it did not refuse in one line: exit code ${code}\n${out}\n${err}`);
  }
  return err;
}

export async function jsonOf(...args: string[]): Promise<unknown> {
  const { code, out, err } = await queueTool(...args, "--json");
  if (code !== 0) throw new Error(err);
  return JSON.parse(out);
}

interface Order {
  readonly user: string;
  readonly number: number;
}

const bytes: Codec<Buffer> = { encode: (value) => value, decode: (value) => value };

/** JSON by user, over two partitions. */
export const orders = defineTopic<Order>({ name: "orders", partitions: 2, keyOf: ({ user }) => user });
/** Anything, keyed "raw". */
export const raw = defineTopic<Buffer>({ name: "raw", partitions: 1, keyOf: () => "raw", codec: bytes });

/** 2026-07-01T03:00:00Z: whoever reads the tool's tables is on call. */
const startMs = Date.UTC(2026, 6, 1, 3);

interface EngineBed {
  readonly engine: Engine;
  readonly directory: string;
  readonly clock: ManualClock;
}

/** A new log, written in this thread, always with the same bytes; the directory has no lock. */
async function openEngine(): Promise<EngineBed> {
  const directory = temporaryDirectory();
  const disk = nodeDisk;
  const clock = manualClock(startMs);
  const random = (count: number) => Buffer.alloc(count, 0xab);
  const engine = await openLogEngine({ directory, disk, clock, random, segmentBytes: 2_000, reserveBytes: 1_024 });
  onTestFinished(() => engine.close());
  return { engine, directory, clock };
}

export async function openBed(): Promise<EngineBed & { readonly queue: Queue }> {
  const bed = await openEngine();
  const queue = await openQueue({ engine: bed.engine, topics: [orders, raw], onBackgroundError: () => {} });
  onTestFinished(() => queue.stop());
  return { ...bed, queue };
}

/**
 * Twelve orders of three users, one a second, of which group "sms" gave up on the third and the seventh and handled
 * all others; group "audit" stands before the first. Each step is a batch, so that its bytes are always the same.
 */
export async function makeOrders(): Promise<string> {
  const { engine, directory, clock } = await openEngine();
  await engine.declareTopics([orders, raw, { name: "replies", partitions: 256, ringMessages: 65_536 }]);
  for (const group of ["audit", "sms"]) await registerGroup(engine, group, orders);
  for (let number = 1; number <= 12; number++) {
    const append = appendRequest(orders, { user: `user ${number % 3}`, number }, { id: `order-${number}` });
    const { offsets, timeMs } = await engine.commit({ append: [append] });
    clock.advance(250);
    const message = { ...append, headers: append.headers ?? {}, offset: offsets[0] as number, timestampMs: timeMs };
    const reason = "no phone number";
    const death = { attempt: 1, reason, history: [{ atMs: engine.now(), error: reason }] };
    const isDead = number === 3 || number === 7;
    await engine.commit({
      put: isDead ? [deadLetterEntry("sms", message, append.value, death)] : [],
      advance: { group: "sms", topic: "orders", partition: append.partition, to: message.offset + 1 },
    });
    clock.advance(750);
  }
  await engine.close();
  return directory;
}

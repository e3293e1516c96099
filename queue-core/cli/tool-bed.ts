/** Runs the tool as a terminal would, and makes the logs that its tests look into. */
import { onTestFinished } from "vitest";
import { type ManualClock, manualClock } from "../src/engines/clock.ts";
import { nodeDisk } from "../src/engines/log/disk.ts";
import { temporaryDirectory } from "../src/engines/log/log-bed.ts";
import { openLogEngine } from "../src/engines/log/open-log-engine.ts";
import { registerGroup } from "../src/group-registry.ts";
import { openQueue } from "../src/open-queue.ts";
import { dead, done, type Queue } from "../src/queue.ts";
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

export const segmentBytes = 2_000;

interface Bed {
  readonly queue: Queue;
  readonly directory: string;
  readonly clock: ManualClock;
}

/** A queue on a new log, in this thread, with a clock that stands still; the directory has no lock. */
export async function openBed(): Promise<Bed> {
  const directory = temporaryDirectory();
  const disk = nodeDisk;
  const clock = manualClock(startMs);
  const engine = await openLogEngine({ directory, disk, clock, segmentBytes, reserveBytes: 1_024 });
  const queue = await openQueue({ engine, topics: [orders, raw], onBackgroundError: () => {} });
  onTestFinished(() => queue.stop());
  return { queue, directory, clock };
}

/**
 * Twelve orders of three users, of which group "sms" gave up on the third and the seventh and handled all others;
 * group "audit" stands before the first. The queue is stopped.
 */
export async function makeOrders(): Promise<string> {
  const { queue, directory } = await openBed();
  const handled = Promise.withResolvers<void>();
  let count = 0;
  const handle = async ([order]: readonly { readonly value: Order }[]) => {
    if (++count === 12) handled.resolve();
    return order?.value.number === 3 || order?.value.number === 7 ? dead("no phone number") : done;
  };
  await registerGroup(queue.engine, "audit", orders);
  const member = await queue.consume({ group: "sms", topic: orders, handle });
  for (let number = 1; number <= 12; number++) {
    await queue.publish(orders, { user: `user ${number % 3}`, number }, { id: `order-${number}` });
  }
  await handled.promise;
  await member.stop();
  await queue.stop();
  return directory;
}

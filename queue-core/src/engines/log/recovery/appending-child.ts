/**
 * The process that tests kill, or whose disk they fill and make fail. It commits and commits, prints what was
 * acknowledged, and ends with code 3 once nothing can be stored any more.
 *
 *     node appending-child.ts <directory> <round> <writers> <messages> [acknowledge] [decide] [upkeep]
 *
 * After so many messages, or a few more, nothing new is sent. 0 writers and no more: one commit, then no more work.
 * `upkeep`: takes snapshots often, and keeps little. What it prints, fields parted by a space:
 *
 *     stored <sequence> <partition> <offset> <text>   a message of `raw`: round.writer.number, numbers from 0 on; in
 *                                                     the same commit, the writer's entry became its number
 *     moved <partition> <to>                          `readers` acknowledged `raw` up to there, and in the same
 *                                                     commit its entry became the digest of all texts before it
 *     sent <partition> <offset> <text>                an order; each is counted, exactly once, by the stage `counters`,
 *                                                     which emits a `count` for each
 *     refused <code> <outcome>                        one of these; on a full disk it is tried again after 10 ms
 *     snapshot                                        one was taken
 *     failed <code>                                   nothing is stored from here on
 */
import { writeSync } from "node:fs";
import { setTimeout as after } from "node:timers/promises";
import { crc32 } from "node:zlib";
import type { Commit, CommitReceipt } from "../../../engine.ts";
import { QueueError } from "../../../errors.ts";
import { defineTopic, emit, openQueue } from "../../../index.ts";
import { openLogEngine } from "../open-log-engine.ts";

const [directory = "", round = "", writers = "", mostMessages = "", ...parts] = process.argv.slice(2);
const rawPartitions = 3;
const publishers = 4;
let messages = 0;

interface Order {
  readonly key: string;
  readonly text: string;
}

interface Count extends Order {
  readonly count: number;
}

const kibibyte = 1024;
const upkeep = { segmentBytes: 16 * kibibyte, snapshotBytes: 16 * kibibyte, retention: { bytes: 256 * kibibyte } };
const engine = await openLogEngine({
  directory,
  segmentBytes: 64 * kibibyte,
  memoryBytes: 64 * kibibyte,
  ...(parts.includes("upkeep") ? upkeep : {}),
  report: ({ kind }) => {
    if (kind === "snapshot taken") print("snapshot");
  },
});
void engine.failed.then((error) => {
  print(`failed ${error instanceof QueueError ? error.code : "?"}`);
  process.exitCode = 3;
  // Lets what was under way be refused, or acknowledged where that is a fault.
  setTimeout(() => process.exit(), 50);
});
await engine.declareTopics([{ name: "raw", partitions: rawPartitions }]);

/** Again and again where the disk is full. */
async function store(commit: Commit): Promise<CommitReceipt> {
  for (;;) {
    try {
      return await engine.commit(commit);
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      print(`refused ${error.code} ${error.outcome}`);
      if (error.code !== "STORAGE_FULL") throw error;
      await after(10);
    }
  }
}

async function write(writer: number, number: number): Promise<void> {
  const partition = writer % rawPartitions;
  const text = `${round}.${writer}.${number}`;
  const { sequence, offsets } = await store({
    append: [{ topic: "raw", partition, key: String(writer), value: Buffer.from(text) }],
    put: [{ namespace: "writers", key: `${round}.${writer}`, value: Buffer.from(String(number)) }],
  });
  print(`stored ${sequence} ${partition} ${offsets[0]} ${text}`);
}

async function writeOn(writer: number): Promise<void> {
  for (let number = 0; messages++ < Number(mostMessages); number++) await write(writer, number);
}

/** Reads one partition of `raw` for ever, and acknowledges what it read. */
async function acknowledge(partition: number): Promise<void> {
  const place = { group: "readers", topic: "raw", partition };
  const fence = await engine.acquireLease({ ...place, member: round, ttlMs: 3_600_000 });
  if (fence === undefined) throw new Error("the lease is another's");
  const [stored] = await engine.readState("readers", [String(partition)]);
  let digest = stored === undefined ? 0 : Number(stored.toString());
  let to = await engine.committedOffset(place);
  for (;;) {
    const messages = await engine.read("raw", partition, to, { maxMessages: 16 });
    if (messages.length === 0) {
      await after(1);
      continue;
    }
    for (const { value } of messages) digest = crc32(value, digest);
    to += messages.length;
    const put = [{ namespace: "readers", key: String(partition), value: Buffer.from(String(digest)) }];
    await store({ fence, advance: { ...place, to }, put });
    print(`moved ${partition} ${to}`);
  }
}

async function decide(): Promise<void> {
  const orders = defineTopic<Order>({ name: "orders", partitions: 2, keyOf: ({ key }) => key });
  const counts = defineTopic<Count>({ name: "counts", partitions: 2, keyOf: ({ key }) => key });
  const queue = await openQueue({ engine, topics: [orders, counts] });
  await queue.process<Order>({
    group: "counters",
    topic: orders,
    keys: ({ key }) => [key],
    decide: ({ value }, state) => {
      const count = (state.get<number>(value.key) ?? 0) + 1;
      return { writes: [{ key: value.key, value: count }], emit: [emit(counts, { ...value, count })] };
    },
  });
  const publish = async (publisher: number) => {
    for (let number = 0; messages++ < Number(mostMessages); number++) {
      const text = `${round}.${publisher}.${number}`;
      const { partition, offset } = await queue.publish(orders, { key: `buyer ${publisher}`, text });
      print(`sent ${partition} ${offset} ${text}`);
    }
  };
  await Promise.all(Array.from({ length: publishers }, (_, publisher) => publish(publisher)));
}

/** Synchronous: at a kill, no more than one line of each who commits is still to be printed. */
function print(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      // The reader is behind and the pipe does not block; a line this short is written whole or not at all.
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
  }
}

/** The end by `failed` is under way; anything else ends the process loudly. */
function endsWithStorage(error: unknown): void {
  if (!(error instanceof QueueError && error.code === "STORAGE_FAILED")) throw error;
}

if (writers === "0" && parts.length === 0) await write(0, 0);
for (let writer = 0; writer < Number(writers); writer++) writeOn(writer).catch(endsWithStorage);
if (parts.includes("acknowledge")) {
  for (let partition = 0; partition < rawPartitions; partition++) acknowledge(partition).catch(endsWithStorage);
}
if (parts.includes("decide")) decide().catch(endsWithStorage);

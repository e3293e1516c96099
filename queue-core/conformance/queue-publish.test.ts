import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { nodeDisk } from "../src/engines/log/writing/disk.ts";
import { defineTopic, openLogEngine, openQueue, partitionOfKey, QueueError } from "../src/index.ts";
import { maxMessageBytes } from "../src/publish.ts";
import { leftOpen, onEveryEngine, turn, withOverrides } from "./queue-bed.ts";

interface Note {
  readonly to: string;
  readonly text: string;
}

const notes = defineTopic<Note>({ name: "notes", partitions: 4, keyOf: (note) => note.to });
const note = (text: string, to = "ann"): Note => ({ to, text });
const annPartition = partitionOfKey("ann", 4);

onEveryEngine("publish", (bed) => {
  it("stores a message under its key's partition, and gives its offset", async () => {
    const queue = await bed().queue([notes]);
    const first = await queue.publish(notes, note("one"));
    const second = await queue.publish(notes, note("two"), { deadlineMs: 123, ext: { trace: "abc" } });
    expect([first, second]).toEqual([
      { partition: annPartition, offset: 0, duplicate: false },
      { partition: annPartition, offset: 1, duplicate: false },
    ]);
    const messages = await queue.browse(notes, annPartition, 0, 10);
    expect(messages.map((message) => [message.key, message.value.text, message.headers])).toEqual([
      ["ann", "one", {}],
      ["ann", "two", { deadlineMs: 123, ext: { trace: "abc" } }],
    ]);
  });

  it("recognises a repeat by its id, also when both are sent at once", async () => {
    const queue = await bed().queue([notes]);
    const other = await bed().queue([notes]);
    const both = await Promise.all([
      queue.publish(notes, note("once"), { id: "m-1" }),
      other.publish(notes, note("once"), { id: "m-1" }),
    ]);
    expect(both.map((receipt) => receipt.duplicate).sort()).toEqual([false, true]);
    const third = await queue.publish(notes, note("once"), { id: "m-1" });
    expect(third).toEqual({ partition: annPartition, offset: undefined, duplicate: true });
    expect(await queue.browse(notes, annPartition, 0, 10)).toHaveLength(1);
  });

  it("files the entry that a message claims with it, once, for all to read", async () => {
    const queue = await bed().queue([notes]);
    const other = await bed().queue([notes]);
    const claim = (text: string) => ({
      namespace: "asked",
      key: "ann-1",
      value: Buffer.from(text),
      expiresAtMs: bed().engine.now() + 1_000,
    });
    const both = await Promise.all([
      queue.publish(notes, note("once"), { claim: claim("first") }),
      other.publish(notes, note("again"), { claim: claim("second") }),
    ]);
    expect(both.map((receipt) => receipt.duplicate)).toEqual([false, true]);
    expect((await queue.browse(notes, annPartition, 0, 10)).map(({ value }) => value.text)).toEqual(["once"]);
    const [entry] = await bed().engine.readState("asked", ["ann-1"]);
    expect(entry?.toString()).toBe("first");
    bed().timers.advance(1_001);
    expect((await other.publish(notes, note("anew"), { claim: claim("third") })).duplicate).toBe(false);
  });

  it("refuses a claim in a namespace that is not the application's", async () => {
    const queue = await bed().queue([notes]);
    const claim = { namespace: "stock/notes/0", key: "k", value: Buffer.alloc(0), expiresAtMs: 1 };
    await expect(queue.publish(notes, note("no"), { claim })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("takes a repeat for a new message once its window of 10 minutes is over", async () => {
    const queue = await bed().queue([notes]);
    await queue.publish(notes, note("first"), { id: "m-1" });
    bed().timers.advance(599_999);
    expect((await queue.publish(notes, note("repeat"), { id: "m-1" })).duplicate).toBe(true);
    bed().timers.advance(2);
    expect((await queue.publish(notes, note("anew"), { id: "m-1" })).duplicate).toBe(false);
  });

  it("files no id for a send that was refused", async () => {
    let failures = 1;
    const engine = withOverrides(leftOpen(bed().engine), {
      commit: (commit) =>
        failures-- > 0 ? Promise.reject(new QueueError("STORAGE_FULL")) : bed().engine.commit(commit),
    });
    const queue = await bed().queue([notes], { engine });
    const send = () => queue.publish(notes, note("once"), { id: "m-1" });
    await expect(send()).rejects.toMatchObject({ code: "STORAGE_FULL", outcome: "not_stored", retryable: true });
    expect((await send()).duplicate).toBe(false);
    expect((await send()).duplicate).toBe(true);
  });

  it("stores what one process publishes to a partition in the order of the calls", async () => {
    const queue = await bed().queue([notes]);
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => queue.publish(notes, note(String(n)), n % 9 === 0 ? { id: `i${n}` } : {})),
    );
    const texts = (await queue.browse(notes, annPartition, 0, 100)).map(({ value }) => value.text);
    expect(texts).toEqual(Array.from({ length: 100 }, (_, n) => String(n)));
  });

  it("refuses an undeclared topic, a message that is too large, and everything after stop, with their codes", async () => {
    const queue = await bed().queue([notes]);
    const other = defineTopic<Note>({ name: "other", partitions: 1, keyOf: (value) => value.to });
    await expect(queue.publish(other, note("x"))).rejects.toMatchObject({ code: "UNKNOWN_TOPIC" });
    const large = note("x".repeat(maxMessageBytes));
    await expect(queue.publish(notes, large)).rejects.toMatchObject({
      code: "MESSAGE_TOO_LARGE",
      outcome: "not_stored",
    });
    await queue.stop();
    await bed().engine.close();
    await expect(queue.publish(notes, note("late"))).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("refuses to open with a topic that is declared twice, has a bad name, or is the reserved one", async () => {
    const named = (name: string) => defineTopic<Note>({ name, partitions: 1, keyOf: (value) => value.to });
    for (const topics of [[notes, notes], [named("a/b")], [named("$x")], [named("")], [named("replies")]]) {
      await expect(bed().queue(topics)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });
});

onEveryEngine("delay", (bed) => {
  const texts = async (queue: Awaited<ReturnType<ReturnType<typeof bed>["queue"]>>) =>
    (await queue.browse(notes, annPartition, 0, 100)).map((message) => message.value.text);

  it("delivers a delayed message not before it is due, with its headers, then once", async () => {
    const queue = await bed().queue([notes]);
    const receipt = await queue.publish(notes, note("later"), { delayMs: 5_000, ext: { trace: "abc" } });
    expect(receipt).toEqual({ partition: annPartition, offset: undefined, duplicate: false });
    await bed().settle();
    bed().timers.advance(10);
    await bed().settle();
    bed().timers.advance(4_980);
    await bed().settle();
    expect(await texts(queue)).toEqual([]);
    await bed().eventually(async () => (await texts(queue)).length > 0);
    bed().timers.advance(60_000);
    await bed().settle();
    const [message, ...more] = await queue.browse(notes, annPartition, 0, 10);
    expect(more).toEqual([]);
    expect(message).toMatchObject({ key: "ann", headers: { ext: { trace: "abc" } }, value: { text: "later" } });
  });

  it("delivers in the order of due times, whatever the order of publishing", async () => {
    const queue = await bed().queue([notes]);
    for (const delayMs of [3_000, 1_000, 2_000]) await queue.publish(notes, note(String(delayMs)), { delayMs });
    await bed().eventually(async () => (await texts(queue)).length === 3);
    expect(await texts(queue)).toEqual(["1000", "2000", "3000"]);
  });

  it("delivers each message once when several instances race for it", async () => {
    const queues = await Promise.all([bed().queue([notes]), bed().queue([notes]), bed().queue([notes])]);
    const [queue] = queues;
    if (queue === undefined) throw new Error("no queue");
    const count = 300;
    await Promise.all(
      Array.from({ length: count }, (_, n) => queue.publish(notes, note(String(n)), { delayMs: 1_000 + (n % 7) })),
    );
    await bed().eventually(async () => (await queue.browse(notes, annPartition, 0, 1_000)).length >= count);
    await bed().settle();
    const delivered = await queue.browse(notes, annPartition, 0, 1_000);
    expect(new Set(delivered.map((message) => message.value.text)).size).toBe(count);
    expect(delivered).toHaveLength(count);
    expect(bed().faults).toEqual([]);
  });

  it("delivers what an instance that is gone left behind", async () => {
    const first = await bed().queue([notes]);
    await first.publish(notes, note("left behind"), { delayMs: 1_000 });
    await first.stop();
    bed().timers.advance(60_000);
    const second = await bed().queue([notes]);
    await bed().eventually(async () => (await texts(second)).length === 1);
  });

  it("plans nothing while nothing is delayed", async () => {
    await bed().queue([notes]);
    await bed().settle();
    expect(bed().timers.pending).toBe(0);
  });
});

it("a repeat resolves no sooner than the first send is durable", async () => {
  const folder = mkdtempSync(join(tmpdir(), "queue-core-"));
  const held: (() => void)[] = [];
  let isHolding = false;
  const later = (run: () => void): void => {
    if (isHolding) held.push(run);
    else setImmediate(run);
  };
  const engine = await openLogEngine({ directory: join(folder, "log"), disk: nodeDisk, later });
  const queue = await openQueue({ engine, topics: [notes] });
  onTestFinished(async () => {
    await queue.stop();
    rmSync(folder, { recursive: true });
  });
  await queue.publish(notes, note("before"));
  isHolding = true;
  const settled: string[] = [];
  const sends = ["first", "repeat"].map((name) =>
    queue.publish(notes, note("once"), { id: "m-1" }).then(({ duplicate }) => settled.push(`${name} ${duplicate}`)),
  );
  for (let turns = 0; turns < 50; turns++) await turn();
  expect([held.length, settled]).toEqual([1, []]);
  isHolding = false;
  for (const run of held) run();
  await Promise.all(sends);
  expect(settled).toEqual(["first false", "repeat true"]);
});

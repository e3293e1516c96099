import { expect, it } from "vitest";
import { defineTopic, emit, type QueueError, type Topic } from "../src/index.ts";
import { onEveryEngine } from "./queue-bed.ts";

interface Note {
  readonly to: string;
  readonly text: string;
}

const note = (text: string, to = "ann"): Note => ({ to, text });

onEveryEngine("backpressure", (bed) => {
  const bounded = defineTopic<Note>({
    name: "bounded",
    partitions: 1,
    keyOf: (value) => value.to,
    backlog: { maxMessages: 10 },
  });

  const offered = (publish: Promise<unknown>): Promise<string> =>
    publish.then(
      () => "stored",
      (error: QueueError) => error.code,
    );
  /** A group that never reads; the test moves its offset, and with it what this process knows to be stale. */
  const drainedByHand = async (topic: Topic<Note>) => {
    const queue = await bed().queue([topic]);
    const member = await queue.consume({ group: "hand", topic, handle: async () => ({ kind: "pause", afterMs: 1e9 }) });
    await member.stop();
    return async (to: number) => {
      await bed().engine.commit({ advance: { group: "hand", topic: topic.name, partition: 0, to } });
      bed().timers.advance(21);
    };
  };

  it("refuses a publish beyond the backlog's count, and takes it again when the slowest group moved on", async () => {
    const queue = await bed().queue([bounded]);
    const idle = await queue.consume({
      group: "a-idle",
      topic: bounded,
      handle: async () => ({ kind: "pause", afterMs: 1e9 }),
    });
    const texts: string[] = [];
    await queue.consume({
      group: "busy",
      topic: bounded,
      maxBatch: 100,
      handle: async (batch) => {
        texts.push(...batch.map((message) => message.value.text));
        return { kind: "done" };
      },
    });
    for (let n = 0; n < 10; n++) await queue.publish(bounded, note(String(n)));
    await bed().eventually(() => texts.length === 10);
    const refusal = await queue.publish(bounded, note("one too many")).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "OVERLOADED", retryable: true, outcome: "not_stored" });
    expect((refusal as QueueError).retryAfterMs).toBeGreaterThan(0);

    await idle.stop();
    await queue.consume({ group: "a-idle", topic: bounded, maxBatch: 100, handle: async () => ({ kind: "done" }) });
    await bed().eventually(async () => (await queue.groupStatistics("a-idle", bounded))[0]?.lagMessages === 0);
    expect((await queue.publish(bounded, note("fits"))).offset).toBe(10);
  });

  it("never lets more in than there is room for, when many publish at once", async () => {
    const queue = await bed().queue([bounded]);
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, (_, n) => queue.publish(bounded, note(String(n)))),
    );
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(10);
    expect((await bed().engine.range("bounded", 0)).end).toBe(10);
  });

  it("refuses a publish beyond the backlog's bytes", async () => {
    const small = defineTopic<Note>({
      name: "small",
      partitions: 1,
      keyOf: (value) => value.to,
      backlog: { maxBytes: 5_000 },
    });
    const queue = await bed().queue([small]);
    const large = note("x".repeat(1_000));
    const results: string[] = [];
    for (let n = 0; n < 8; n++) {
      results.push(
        await queue.publish(small, large).then(
          () => "stored",
          (error: QueueError) => error.code,
        ),
      );
    }
    expect(results).toEqual([...Array(4).fill("stored"), ...Array(4).fill("OVERLOADED")]);
  });

  it("lets nobody in between the high mark and the low one, then everybody again", async () => {
    const marked = defineTopic<Note>({
      name: "marked",
      partitions: 1,
      keyOf: (value) => value.to,
      backlog: { maxMessages: 20, lowMark: 0.5 },
    });
    const queue = await bed().queue([marked]);
    const drain = await drainedByHand(marked);
    const offer = () => offered(queue.publish(marked, note("x")));
    for (let n = 0; n < 20; n++) expect(await offer()).toBe("stored");
    expect(await offer()).toBe("OVERLOADED");
    for (let to = 1; to < 10; to++) {
      await drain(to);
      expect(await offer()).toBe("OVERLOADED");
    }
    await drain(10);
    for (let n = 0; n < 10; n++) expect(await offer()).toBe("stored");
    expect(await offer()).toBe("OVERLOADED");
  });

  it("bounds the bytes of messages of mixed sizes to what they are, on both marks", async () => {
    const mixed = defineTopic<Note>({
      name: "mixed",
      partitions: 1,
      keyOf: (value) => value.to,
      backlog: { maxBytes: 100_000, lowMark: 0.5 },
    });
    const queue = await bed().queue([mixed]);
    const drain = await drainedByHand(mixed);
    const of = (bytes: number) => note("x".repeat(bytes - mixed.codec.encode(note("")).length));
    const offer = (bytes: number) => offered(queue.publish(mixed, of(bytes)));
    // By their average size of 1,100 bytes a hundred more small ones would not fit; by their sizes they do.
    for (let n = 0; n < 9; n++) expect(await offer(10_000)).toBe("stored");
    for (let n = 0; n < 100; n++) expect(await offer(100)).toBe("stored");
    expect(await offer(100)).toBe("OVERLOADED");
    for (const to of [1, 2, 3, 4]) {
      await drain(to);
      expect(await offer(100)).toBe("OVERLOADED");
    }
    await drain(5);
    expect(await offer(10_000)).toBe("stored");
    // Too large for what is left, though the backlog is not above its low mark again: refused alone.
    await drain(7);
    expect(await offer(80_000)).toBe("OVERLOADED");
    expect(await offer(100)).toBe("stored");
  });

  it("takes any message into an empty backlog", async () => {
    const tiny = defineTopic<Note>({ name: "tiny", partitions: 1, keyOf: ({ to }) => to, backlog: { maxBytes: 10 } });
    const queue = await bed().queue([tiny]);
    expect(await offered(queue.publish(tiny, note("larger than the backlog may be")))).toBe("stored");
    expect(await offered(queue.publish(tiny, note("")))).toBe("OVERLOADED");
  });

  it("weighs what others stored by a sample of it", async () => {
    const shared = defineTopic<Note>({
      name: "shared",
      partitions: 1,
      keyOf: (value) => value.to,
      backlog: { maxBytes: 50_000 },
    });
    const value = Buffer.from(JSON.stringify(note("x".repeat(1_000))));
    const queue = await bed().queue([shared]);
    const append = Array.from({ length: 48 }, () => ({ topic: "shared", partition: 0, key: "ann", value }));
    await bed().engine.commit({ append });
    const answers: string[] = [];
    for (let n = 0; n < 5; n++) answers.push(await offered(queue.publish(shared, note("y".repeat(700)))));
    expect(answers).toEqual(["stored", "OVERLOADED", "OVERLOADED", "OVERLOADED", "OVERLOADED"]);
  });

  it("bounds what is delayed, by count and by bytes, and takes more when some of it came due", async () => {
    const hidden = (backlog: object) =>
      defineTopic<Note>({ name: "hidden", partitions: 2, keyOf: (value) => value.to, backlog });
    const byCount = hidden({ maxMessages: 10 });
    const queue = await bed().queue([byCount]);
    const offer = (delayMs: number) => offered(queue.publish(byCount, note("x", `${Math.random()}`), { delayMs }));
    for (let n = 0; n < 4; n++) expect(await offer(30_000)).toBe("stored");
    for (let n = 0; n < 6; n++) expect(await offer(3_600_000)).toBe("stored");
    expect(await offer(3_600_000)).toBe("OVERLOADED");
    for (let later = 0; later < 5; later++) {
      bed().timers.advance(1_000);
      await bed().settle();
      expect(await offer(3_600_000)).toBe("OVERLOADED");
    }
    // Who can be read at once is not held up by what cannot.
    expect(await offer(0)).toBe("stored");
    await queue.consume({ group: "g", topic: byCount, handle: async () => ({ kind: "done" }) });
    await bed().eventually(async () => (await offer(3_600_000)) === "stored");
    const heavy = await bed().queue([hidden({ maxBytes: 5_000 })]);
    const tell = (text: string) => offered(heavy.publish(byCount, note(text), { delayMs: 3_600_000 }));
    expect(await tell("x".repeat(5_000))).toBe("OVERLOADED");
  });

  it("bounds half messages before their local transaction begins, but not those of a stage", async () => {
    const queue = await bed().queue([bounded]);
    const checkBack = async () => "unknown" as const;
    const outside = await queue.transactional<Note>({ group: "outside", topic: bounded, checkBack });
    const stage = await queue.transactional<Note>({
      group: "stage",
      topic: bounded,
      checkBack,
      backlog: "unbounded",
    });
    let begun = 0;
    const transaction = async () => {
      begun++;
      return "unknown" as const;
    };
    const three = [note("1"), note("2"), note("3")];
    for (let n = 0; n < 3; n++) await outside.publish(three, transaction);
    expect(await offered(outside.publish(three, transaction))).toBe("OVERLOADED");
    expect(begun).toBe(3);
    expect(await offered(outside.publish([note("fits")], transaction))).toBe("stored");
    // Those of other groups and processes count as well.
    const other = await bed().queue([bounded]);
    const elsewhere = await other.transactional<Note>({ group: "elsewhere", topic: bounded, checkBack });
    expect(await offered(elsewhere.publish([note("no")], transaction))).toBe("OVERLOADED");
    expect(await offered(stage.publish(three, transaction))).toBe("stored");
    expect(begun).toBe(5);
  });

  it("counts what a stage emits with a delay, and never refuses it", async () => {
    const entry = defineTopic<Note>({ name: "entry", partitions: 1, keyOf: (value) => value.to });
    const queue = await bed().queue([entry, bounded]);
    await queue.process<Note>({
      group: "fan-out",
      topic: entry,
      keys: () => [],
      decide: (message) => ({ emit: [emit(bounded, message.value, { delayMs: 3_600_000 })] }),
    });
    for (let n = 0; n < 20; n++) await queue.publish(entry, note(String(n)));
    await bed().eventually(async () => (await bed().engine.countState("$delay/bounded/0")) === 20);
    expect(await offered(queue.publish(bounded, note("x"), { delayMs: 1_000 }))).toBe("OVERLOADED");
    expect(await offered(queue.publish(bounded, note("x")))).toBe("stored");
  });

  it("refuses bounds that make no sense when the topic is defined", () => {
    for (const backlog of [{ maxMessages: 0 }, { maxBytes: Number.NaN }, { lowMark: 1.1 }, { lowMark: -1 }]) {
      const define = () => defineTopic<Note>({ name: "n", partitions: 1, keyOf: ({ to }) => to, backlog });
      expect(define).toThrow("INVALID_ARGUMENT");
    }
  });

  it("never refuses what a stage emits", async () => {
    const entry = defineTopic<Note>({ name: "entry", partitions: 1, keyOf: (value) => value.to });
    const queue = await bed().queue([entry, bounded]);
    await queue.process<Note>({
      group: "fan-out",
      topic: entry,
      keys: () => [],
      decide: (message) => ({ emit: [{ topic: bounded as never, value: message.value }] }),
    });
    for (let n = 0; n < 30; n++) await queue.publish(entry, note(String(n)));
    await bed().eventually(async () => (await bed().engine.range("bounded", 0)).end === 30);
    await expect(queue.publish(bounded, note("entry"))).rejects.toMatchObject({ code: "OVERLOADED" });
  });
});

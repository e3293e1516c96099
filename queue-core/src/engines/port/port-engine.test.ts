/** What a port adds to the contracts that the conformance suite tries: turns, memory, errors, ends, time. */
import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Commit, Engine } from "../../engine.ts";
import { QueueError } from "../../errors.ts";
import { manualClock } from "../clock.ts";
import { createMemoryEngine } from "../memory.ts";
import { connectEngine } from "./connect-engine.ts";
import type { Seen } from "./connecting-thread.ts";
import { serveEngine } from "./serve-engine.ts";

const orders = { name: "orders", partitions: 2 };
const message = (value: Buffer, partition = 0) => ({ topic: "orders", partition, key: "k", value });
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** An engine with the topic `orders`, and this side's view of it through a port. */
async function connected(overrides: Partial<Engine> = {}) {
  const clock = manualClock();
  const owned: Engine = Object.assign(createMemoryEngine({ clock }), overrides);
  await owned.declareTopics([orders]);
  const { port1, port2 } = new MessageChannel();
  const served = serveEngine(owned, port1, { clock });
  const engine = await connectEngine(port2, { clock });
  return { owned, engine, served, clock, ownerPort: port1, port: port2 };
}

async function errorOf(work: Promise<unknown>): Promise<QueueError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof QueueError) return error;
  throw new Error(`no QueueError: ${error}`);
}

/** A commit that stays under way until `release`. */
function heldCommit() {
  const { promise, resolve: release } = Promise.withResolvers<{
    sequence: number;
    timeMs: number;
    offsets: number[];
  }>();
  return { commit: () => promise, release: () => release({ sequence: 1, timeMs: 1, offsets: [] }) };
}

describe("turns", () => {
  it("sends what one turn asks for in one message, and answers it in one", async () => {
    const { engine, port, ownerPort } = await connected();
    const asked = vi.spyOn(port, "postMessage");
    const answered = vi.spyOn(ownerPort, "postMessage");
    const commits = Array.from({ length: 100 }, (_, n) => engine.commit({ append: [message(Buffer.from(`${n}`))] }));
    await Promise.all([...commits, engine.range("orders", 0), engine.members("g")]);
    expect([asked.mock.calls.length, answered.mock.calls.length]).toEqual([1, 1]);
    await engine.close();
  });

  it("tells of a partition once however many commits of a turn touched it", async () => {
    const { engine, owned } = await connected();
    const told: number[] = [];
    engine.onAppend((_topic, partition) => told.push(partition));
    await engine.range("orders", 0);
    for (let n = 0; n < 10; n++) await owned.commit({ append: [message(Buffer.from("x"), 1)] });
    await vi.waitFor(() => expect(told).toEqual([1]));
    await engine.close();
  });

  it("gathers news of a busy owner, unless an answer is due anyway", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const { engine, owned, ownerPort, clock } = await connected();
    const told: number[] = [];
    engine.onAppend((_topic, partition) => told.push(partition));
    await engine.range("orders", 0);
    const sent = vi.spyOn(ownerPort, "postMessage");
    for (let n = 0; n < 5; n++) {
      await owned.commit({ append: [message(Buffer.from("x"))] });
      await turn();
    }
    expect(sent).not.toHaveBeenCalled();
    vi.advanceTimersByTime(10);
    await vi.waitFor(() => expect(told).toEqual([0]));
    await owned.commit({ append: [message(Buffer.from("x"), 1)] });
    await engine.range("orders", 0);
    expect(told).toEqual([0, 1]);
    clock.advance(10);
    await owned.commit({ append: [message(Buffer.from("x"))] });
    await vi.waitFor(() => expect(told).toEqual([0, 1, 0]));
    await engine.close();
  });

  it("makes calls take effect in the order in which they were made", async () => {
    const { engine } = await connected();
    const write = engine.commit({ put: [{ namespace: "n", key: "k", value: Buffer.from("1") }] });
    const read = engine.readState("n", ["k"]);
    const erase = engine.commit({ put: [{ namespace: "n", key: "k", value: null }] });
    const readAgain = engine.readState("n", ["k"]);
    expect(await Promise.all([read, readAgain])).toEqual([[Buffer.from("1")], [undefined]]);
    await Promise.all([write, erase]);
    await engine.close();
  });
});

describe("memory", () => {
  it("takes no Buffer away from whoever passed it in, nor from the pool that it lies in", async () => {
    const { engine } = await connected();
    const neighbour = Buffer.from("neighbour");
    const pooled = Buffer.from("pooled");
    const large = Buffer.alloc(100_000, 7);
    await engine.commit({ append: [message(pooled), message(large)] });
    expect([pooled.toString(), neighbour.toString(), large.length]).toEqual(["pooled", "neighbour", 100_000]);
    await engine.close();
  });

  it("leaves the owner what it hands out", async () => {
    const { engine, owned } = await connected();
    await owned.commit({ append: [message(Buffer.from("kept"))] });
    for (let time = 0; time < 2; time++) {
      const [read] = await engine.read("orders", 0, 0, { maxMessages: 1 });
      expect(read?.value.toString()).toBe("kept");
    }
    await engine.close();
  });

  it("keeps with a small entry nothing of the large messages that came in the same turn", async () => {
    const { engine, owned } = await connected();
    const commit: Commit = {
      put: [{ namespace: "n", key: "k", value: Buffer.from("small") }],
      append: [message(Buffer.alloc(1_000_000))],
    };
    await engine.commit(commit);
    const [kept] = await owned.readState("n", ["k"]);
    expect(kept?.buffer.byteLength).toBeLessThan(100_000);
    await engine.close();
  });
});

describe("errors", () => {
  it("keep code, detail, outcome and retryAfterMs", async () => {
    const thrown = new QueueError("STORAGE_FULL", "no room", { retryAfterMs: 70, outcome: "unknown" });
    const { engine } = await connected({ commit: () => Promise.reject(thrown) });
    const { code, message, retryable, outcome, retryAfterMs } = await errorOf(engine.commit({}));
    expect({ code, message, retryable, outcome, retryAfterMs }).toEqual({
      code: "STORAGE_FULL",
      message: "STORAGE_FULL: no room",
      retryable: true,
      outcome: "unknown",
      retryAfterMs: 70,
    });
    await engine.close();
  });

  it("that are no QueueError keep their text and stack", async () => {
    const { engine } = await connected({ commit: () => Promise.reject(new RangeError("a fault in the engine")) });
    await expect(engine.commit({})).rejects.toThrow("a fault in the engine");
    await engine.close();
  });

  it("of an argument that cannot be cloned refuse that call alone", async () => {
    const { engine } = await connected();
    const bad = { append: [], advance: () => 0 } as unknown as Commit;
    const [before, refused, after] = [engine.commit({}), errorOf(engine.commit(bad)), engine.commit({})];
    expect((await refused).code).toBe("INVALID_ARGUMENT");
    expect((await after).sequence).toBe((await before).sequence + 1);
    await engine.close();
  });

  it("of the engine's end reach `failed`", async () => {
    const reason = new QueueError("STORAGE_FAILED", "EIO");
    const { engine } = await connected({ failed: Promise.resolve(reason) });
    expect(await engine.failed).toMatchObject({ code: "STORAGE_FAILED", message: reason.message });
    await engine.close();
  });
});

describe("ends", () => {
  it("a commit under way when the owner goes is CLOSED with the outcome unknown", async () => {
    const { engine, served } = await connected({ commit: heldCommit().commit });
    const underWay = errorOf(engine.commit({}));
    // Answered after the commit was called over there.
    await engine.range("orders", 0);
    served.close();
    expect(await underWay).toMatchObject({ code: "CLOSED", outcome: "unknown" });
    expect(await engine.failed).toMatchObject({ code: "CLOSED" });
    expect(await errorOf(engine.commit({}))).toMatchObject({ code: "CLOSED", outcome: "not_stored" });
    await engine.close();
  });

  it("a commit that had not left when the owner went is CLOSED and not stored", async () => {
    const owned = createMemoryEngine();
    const { port1, port2 } = new MessageChannel();
    const asked = vi.spyOn(port2, "postMessage");
    serveEngine(owned, port1);
    const refused = Promise.withResolvers<QueueError>();
    // Asked in the very turn in which this side hears of the end, and before it does: it listens later.
    port2.on("close", () => void errorOf(engine.commit({})).then(refused.resolve));
    const engine = await connectEngine(port2);
    port1.close();
    expect(await refused.promise).toMatchObject({ code: "CLOSED", outcome: "not_stored" });
    expect(asked).not.toHaveBeenCalled();
  });

  it("closing waits for what is under way and leaves the owner's engine alone", async () => {
    const { commit, release } = heldCommit();
    const { engine, owned, ownerPort } = await connected({ commit });
    const ended = once(ownerPort, "close");
    const underWay = engine.commit({});
    let isClosed = false;
    const closing = engine.close().then(() => {
      isClosed = true;
    });
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(isClosed).toBe(false);
    release();
    expect((await underWay).sequence).toBe(1);
    await closing;
    await ended;
    expect(await owned.range("orders", 0)).toEqual({ start: 0, end: 0 });
  });

  it("ends its listeners at the owner", async () => {
    const ends: string[] = [];
    const { engine, ownerPort } = await connected({
      onAppend: () => () => ends.push("appends"),
      onStateChange: (namespace) => () => ends.push(namespace),
    });
    engine.onAppend(() => undefined);
    engine.onStateChange("kept", () => undefined);
    const stops = [engine.onStateChange("n", () => undefined), engine.onStateChange("n", () => undefined)];
    stops[0]?.();
    await engine.range("orders", 0);
    expect(ends).toEqual([]);
    stops[1]?.();
    await engine.range("orders", 0);
    expect(ends).toEqual(["n"]);
    const ended = once(ownerPort, "close");
    await engine.close();
    await ended;
    expect(ends).toEqual(["n", "appends", "kept"]);
  });

  it("refuses with CLOSED what is asked of an engine that its owner closed", async () => {
    const { engine, owned } = await connected();
    await owned.close();
    expect((await errorOf(engine.commit({}))).code).toBe("CLOSED");
    await engine.close();
  });

  it("does not connect where the port closes first", async () => {
    const { port1, port2 } = new MessageChannel();
    const connecting = errorOf(connectEngine(port2));
    port1.close();
    expect((await connecting).code).toBe("CLOSED");
  });
});

describe("what is known without asking", () => {
  it("knows a topic that the owner declared no later than a message in it", async () => {
    const { engine, owned } = await connected();
    const known: (number | undefined)[] = [];
    engine.onAppend((topic) => known.push(engine.topic(topic)?.partitions));
    await engine.range("orders", 0);
    await owned.declareTopics([{ name: "late", partitions: 3 }]);
    await owned.commit({ append: [{ ...message(Buffer.from("x")), topic: "late" }] });
    await vi.waitFor(() => expect(known).toEqual([3]));
    expect(engine.topics()).toEqual(owned.topics());
    await engine.close();
  });

  it("has a time between what the owner told last and the owner's, and never an earlier one than before", async () => {
    const { engine, owned, clock } = await connected();
    let lastMs = engine.now();
    for (let step = 0; step < 200; step++) {
      clock.advance(step % 7 === 0 ? 0.3 : 1.1);
      const { timeMs } = await engine.commit({});
      const nowMs = engine.now();
      expect(nowMs).toBeGreaterThanOrEqual(Math.max(timeMs, lastMs));
      expect(nowMs).toBeLessThanOrEqual(owned.now());
      lastMs = nowMs;
    }
    await engine.close();
  });

  it("works in another thread, on the same time, and leaves nothing that keeps the thread alive", async () => {
    const owned = createMemoryEngine();
    await owned.declareTopics([orders]);
    const { port1, port2 } = new MessageChannel();
    serveEngine(owned, port1);
    const file = new URL("./connecting-thread.ts", import.meta.url);
    const thread = new Worker(file, { workerData: port2, transferList: [port2], execArgv: [] });
    const ended = once(thread, "exit");
    const [seen] = (await once(thread, "message")) as [Seen];
    expect(seen.text).toBe("from a thread");
    expect(seen.nowMs).toBeGreaterThanOrEqual(seen.timeMs);
    expect(seen.nowMs).toBeLessThanOrEqual(owned.now());
    expect(await ended).toEqual([0]);
    await owned.close();
  });
});

/** Conformance of `read`, `range`, `onAppend`, statistics, time and `close`. */
import { describe, expect, it } from "vitest";
import {
  type EngineFeatures,
  message,
  type OpenHarness,
  refusal,
  texts,
  topicName,
  withEngine,
} from "./engine-harness.ts";

export function readConformance(features: EngineFeatures, open: OpenHarness): void {
  describe("read", () => {
    it("is empty where there are no messages yet, and beyond the end", () =>
      withEngine(open, async ({ engine }) => {
        expect(await engine.read(topicName, 0, 0, { maxMessages: 10 })).toEqual([]);
        await engine.commit({ append: [message("a")] });
        expect(await engine.read(topicName, 0, 1, { maxMessages: 10 })).toEqual([]);
        expect(await engine.read(topicName, 0, 7, { maxMessages: 10 })).toEqual([]);
      }));

    it("gives at most maxMessages and maxBytes, but one message even above maxBytes", () =>
      withEngine(open, async ({ engine }) => {
        await engine.commit({ append: ["aaaa", "bbbb", "cccc"].map((text) => message(text)) });
        const offsets = async (from: number, limits: { maxMessages: number; maxBytes?: number }) =>
          (await engine.read(topicName, 0, from, limits)).map(({ offset }) => offset);
        expect(await offsets(0, { maxMessages: 2 })).toEqual([0, 1]);
        expect(await offsets(1, { maxMessages: 9 })).toEqual([1, 2]);
        expect(await offsets(0, { maxMessages: 9, maxBytes: 8 })).toEqual([0, 1]);
        expect(await offsets(0, { maxMessages: 9, maxBytes: 7 })).toEqual([0]);
        expect(await offsets(0, { maxMessages: 9, maxBytes: 1 })).toEqual([0]);
        expect(await offsets(0, { maxMessages: 0 })).toEqual([]);
      }));

    it("refuses unknown topics and partitions", () =>
      withEngine(open, async ({ engine }) => {
        expect(await refusal(engine.read("nowhere", 0, 0, { maxMessages: 1 }))).toBe("UNKNOWN_TOPIC");
        expect(await refusal(engine.range(topicName, 4))).toBe("UNKNOWN_TOPIC");
        const ref = { group: "g", topic: "nowhere", partition: 0 };
        expect(await refusal(engine.committedOffset(ref))).toBe("UNKNOWN_TOPIC");
      }));

    it("starts at the oldest message when asked for an older one, and refuses what is no offset or limit", () =>
      withEngine(open, async ({ engine }) => {
        await engine.commit({ append: [message("a")] });
        expect(await texts(engine, 0, -5)).toEqual(["a"]);
        const nowhere = engine.read(topicName, 0, Number.NaN, { maxMessages: 1 });
        expect(await refusal(nowhere)).toBe("INVALID_ARGUMENT");
        const limitless = engine.read(topicName, 0, 0, { maxMessages: Number.NaN });
        expect(await refusal(limitless)).toBe("INVALID_ARGUMENT");
      }));

    it("keeps only the newest messages of a ring, and reads from the oldest when asked for an older one", () =>
      withEngine(open, async ({ engine }) => {
        for (let index = 0; index < 25; index++) {
          await engine.commit({ append: [message(String(index), 1, "replies")] });
        }
        expect(await engine.range("replies", 1)).toEqual({ start: 15, end: 25 });
        const newest = Array.from({ length: 10 }, (_, index) => String(15 + index));
        expect(await texts(engine, 1, 0, "replies")).toEqual(newest);
        expect(await texts(engine, 1, 20, "replies")).toEqual(newest.slice(5));
        expect(await engine.range("replies", 0)).toEqual({ start: 0, end: 0 });
      }));

    it("puts a group that stands below the oldest message there", () =>
      withEngine(open, async ({ engine }) => {
        const ref = { group: "g", topic: "replies", partition: 1 };
        await engine.commit({ append: [message("0", 1, "replies")] });
        await engine.commit({ advance: { ...ref, to: 1 } });
        await engine.commit({ append: Array.from({ length: 14 }, (_, index) => message(`${index}`, 1, "replies")) });
        expect(await engine.committedOffset(ref)).toBe(5);
        expect(await engine.committedOffset({ ...ref, group: "never advanced" })).toBe(5);
      }));
  });

  describe("listeners", () => {
    it("tells of messages once they are visible, until stopped", () =>
      withEngine(open, async ({ engine }) => {
        const told: string[] = [];
        const visible: Promise<number>[] = [];
        const stop = engine.onAppend((topic, partition) => {
          told.push(`${topic}/${partition}`);
          visible.push(engine.range(topic, partition).then(({ end }) => end));
        });
        await engine.commit({ append: [message("a", 2), message("b", 2)] });
        await Promise.resolve();
        expect(told).toEqual([`${topicName}/2`]);
        expect(await Promise.all(visible)).toEqual([2]);
        stop();
        await engine.commit({ append: [message("c", 2)] });
        await Promise.resolve();
        expect(told).toHaveLength(1);
      }));

    it("lets a listener commit again", () =>
      withEngine(open, async ({ engine }) => {
        const answered = new Promise<void>((resolve, reject) => {
          const stop = engine.onAppend((topic, partition) => {
            if (partition !== 0) return;
            stop();
            engine.commit({ append: [message(`after ${topic}`, 1)] }).then(() => resolve(), reject);
          });
        });
        await engine.commit({ append: [message("a", 0)] });
        await answered;
        expect(await texts(engine, 1)).toEqual([`after ${topicName}`]);
      }));
  });

  describe("time and statistics", () => {
    it("never goes backwards, and stamps commits in order", () =>
      withEngine(open, async ({ engine, passTime }) => {
        let last = engine.now();
        for (let round = 0; round < 5; round++) {
          const { timeMs } = await engine.commit({ append: [message("a")] });
          expect(timeMs).toBeGreaterThanOrEqual(last);
          last = engine.now();
          expect(last).toBeGreaterThanOrEqual(timeMs);
          await passTime(3);
        }
        expect(engine.now()).toBeGreaterThanOrEqual(last + 3);
      }));

    it("counts commits, messages, bytes and entries", () =>
      withEngine(open, async ({ engine }) => {
        const before = engine.statistics();
        await engine.commit({
          append: [message("1234"), message("56")],
          put: [{ namespace: "n", key: "k", value: Buffer.from("v") }],
        });
        const after = engine.statistics();
        expect(after.commits - before.commits).toBe(1);
        expect(after.messages - before.messages).toBe(2);
        expect(after.bytes - before.bytes).toBe(6);
        expect(after.stateEntries - before.stateEntries).toBe(1);
        if (features.durable) expect(after.syncs - before.syncs).toBe(1);
      }));
  });

  describe("close", () => {
    it("waits for commits under way, then refuses everything with CLOSED", () =>
      withEngine(open, async ({ engine }) => {
        const underWay = Promise.all(
          Array.from({ length: 50 }, (_, index) => engine.commit({ append: [message(String(index))] })),
        );
        await engine.close();
        expect(await underWay).toHaveLength(50);
        expect(await refusal(engine.commit({}))).toBe("CLOSED");
        expect(await refusal(engine.declareTopics([]))).toBe("CLOSED");
        expect(await refusal(engine.read(topicName, 0, 0, { maxMessages: 1 }))).toBe("CLOSED");
        expect(await refusal(engine.readState("n", ["k"]))).toBe("CLOSED");
        expect(await refusal(engine.scanState("n", { limit: 1 }))).toBe("CLOSED");
        expect(await refusal(engine.heartbeat("g", "m", 1))).toBe("CLOSED");
        const ref = { group: "g", topic: topicName, partition: 0, member: "m", ttlMs: 1000 };
        expect(await refusal(engine.acquireLease(ref))).toBe("CLOSED");
        await engine.close();
      }));
  });

  describe.runIf(features.durable)("reopen", () => {
    it("restores messages, offsets, state, topics and rings", () =>
      withEngine(open, async (first) => {
        const ref = { group: "billing", topic: topicName, partition: 1 };
        await first.engine.commit({ append: Array.from({ length: 20 }, (_, index) => message(String(index), 1)) });
        await first.engine.commit({
          append: Array.from({ length: 15 }, (_, index) => message(`r${index}`, 0, "replies")),
        });
        await first.engine.commit({
          advance: { ...ref, to: 7 },
          put: [
            { namespace: "n", key: "keep", value: Buffer.from("kept") },
            { namespace: "n", key: "gone", value: Buffer.from("x") },
            { namespace: "n", key: "late", value: Buffer.from("x"), expiresAtMs: first.engine.now() + 10 },
          ],
        });
        const { sequence } = await first.engine.commit({ put: [{ namespace: "n", key: "gone", value: null }] });
        await first.passTime(10);
        const timeMs = first.engine.now();
        const { engine } = await first.reopen();
        expect(engine.topics().map(({ name, partitions }) => [name, partitions])).toEqual([
          [topicName, 4],
          ["replies", 2],
        ]);
        expect(await texts(engine, 1)).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
        expect(await texts(engine, 1, 18)).toEqual(["18", "19"]);
        expect(await engine.range("replies", 0)).toEqual({ start: 5, end: 15 });
        expect(await texts(engine, 0, 0, "replies")).toHaveLength(10);
        expect(await engine.committedOffset(ref)).toBe(7);
        expect(await engine.readState("n", ["keep", "gone", "late"])).toEqual([
          Buffer.from("kept"),
          undefined,
          undefined,
        ]);
        expect(await engine.scanState("n", { limit: 10 })).toEqual([{ key: "keep", value: Buffer.from("kept") }]);
        expect(engine.now()).toBeGreaterThanOrEqual(timeMs);
        const next = await engine.commit({ append: [message("after", 1)] });
        expect(next.offsets).toEqual([20]);
        expect(next.sequence).toBeGreaterThan(sequence);
        expect(await texts(engine, 1, 19)).toEqual(["19", "after"]);
      }));

    it("keeps a retired group retired", () =>
      withEngine(open, async (first) => {
        const ref = { group: "billing", topic: topicName, partition: 0 };
        await first.engine.commit({ append: [message("a")] });
        await first.engine.commit({ advance: { ...ref, to: 1 } });
        await first.engine.commit({ advance: { ...ref, group: "sms", to: 1 } });
        await first.engine.commit({ retire: { group: "billing", topic: topicName } });
        const { engine } = await first.reopen();
        expect(await engine.committedOffset(ref)).toBe(0);
        expect(await engine.committedOffset({ ...ref, group: "sms" })).toBe(1);
      }));

    it("still refuses another partition count", () =>
      withEngine(open, async (first) => {
        const { engine } = await first.reopen();
        expect(await refusal(engine.declareTopics([{ name: topicName, partitions: 8 }]))).toBe("INVALID_ARGUMENT");
        await engine.declareTopics([{ name: topicName, partitions: 4 }]);
      }));

    it("gives leases with higher epochs, and fences those from before", () =>
      withEngine(open, async (first) => {
        const ref = { group: "g", topic: topicName, partition: 0, member: "m", ttlMs: 10_000 };
        const before = await first.engine.acquireLease(ref);
        if (before === undefined) throw new Error("no lease");
        const { engine } = await first.reopen();
        expect(await refusal(engine.commit({ fence: before }))).toBe("FENCED");
        const after = await engine.acquireLease({ ...ref, member: "other" });
        expect(after?.epoch).toBeGreaterThan(before.epoch);
        expect(await refusal(engine.commit({ fence: before }))).toBe("FENCED");
      }));
  });
}

/** Conformance of `commit`: atomicity, total order, expectations, fences, offsets, bad input. */
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

const ref = { group: "billing", topic: topicName, partition: 0 };

export function commitConformance(_features: EngineFeatures, open: OpenHarness): void {
  describe("commit", () => {
    it("stores offset, state and messages of one commit together", () =>
      withEngine(open, async ({ engine }) => {
        await engine.commit({ append: [message("request")] });
        const receipt = await engine.commit({
          advance: { ...ref, to: 1 },
          put: [{ namespace: "stock", key: "sale:1", value: Buffer.from("99") }],
          append: [message("a", 1), message("b", 2), message("c", 1)],
        });
        expect(receipt.offsets).toEqual([0, 0, 1]);
        expect(await engine.committedOffset(ref)).toBe(1);
        expect(await engine.readState("stock", ["sale:1"])).toEqual([Buffer.from("99")]);
        expect(await texts(engine, 1)).toEqual(["a", "c"]);
        expect(await texts(engine, 2)).toEqual(["b"]);
      }));

    it("stores nothing of a refused commit", () =>
      withEngine(open, async ({ engine }) => {
        const refused = engine.commit({
          advance: { ...ref, to: 0 },
          put: [{ namespace: "stock", key: "sale:1", value: Buffer.from("1") }],
          append: [message("a"), { ...message("b"), topic: "nowhere" }],
        });
        expect(await refusal(refused)).toBe("UNKNOWN_TOPIC");
        expect(await engine.readState("stock", ["sale:1"])).toEqual([undefined]);
        expect(await engine.range(topicName, 0)).toEqual({ start: 0, end: 0 });
        const next = await engine.commit({ append: [message("c")] });
        expect(next.offsets).toEqual([0]);
      }));

    it("gives concurrent commits one total order with consecutive offsets", () =>
      withEngine(open, async ({ engine }) => {
        const receipts = await Promise.all(
          Array.from({ length: 500 }, (_, index) => engine.commit({ append: [message(String(index), index % 4)] })),
        );
        const sequences = receipts.map(({ sequence }) => sequence);
        expect(new Set(sequences).size).toBe(500);
        for (const partition of [0, 1, 2, 3]) {
          const ofPartition = receipts
            .map((receipt, index) => ({ ...receipt, index }))
            .filter(({ index }) => index % 4 === partition)
            .sort((left, right) => left.sequence - right.sequence);
          expect(ofPartition.map(({ offsets }) => offsets[0])).toEqual(ofPartition.map((_, offset) => offset));
          expect(await texts(engine, partition)).toEqual(ofPartition.map(({ index }) => String(index)));
        }
      }));

    it("takes effect in the order in which one caller called, whatever each of them carries", () =>
      withEngine(open, async ({ engine }) => {
        const large = Buffer.alloc(50_000, "x");
        const commits = Array.from({ length: 200 }, (_, index) =>
          engine.commit({
            append: [{ ...message(String(index)), ...(index % 7 === 0 ? { value: large } : {}) }],
            ...(index % 3 === 0 ? { put: [{ namespace: "n", key: String(index), value: Buffer.from("1") }] } : {}),
          }),
        );
        const offsets = (await Promise.all(commits)).map((receipt) => receipt.offsets[0]);
        expect(offsets).toEqual(offsets.map((_, index) => index));
      }));

    it("is visible to every reader once it has resolved", () =>
      withEngine(open, async ({ engine }) => {
        for (let round = 0; round < 20; round++) {
          await engine.commit({
            append: [message(String(round))],
            put: [{ namespace: "n", key: "round", value: Buffer.from(String(round)) }],
          });
          expect((await engine.range(topicName, 0)).end).toBe(round + 1);
          expect((await engine.readState("n", ["round"]))[0]?.toString()).toBe(String(round));
        }
      }));

    it("takes an empty commit", () =>
      withEngine(open, async ({ engine }) => {
        const first = await engine.commit({});
        const second = await engine.commit({ append: [], put: [], expect: [] });
        expect(second.sequence).toBeGreaterThan(first.sequence);
        expect(second.offsets).toEqual([]);
      }));

    it("keeps key, headers, value and time of a message as given", () =>
      withEngine(open, async ({ engine }) => {
        const headers = {
          id: "ид-1",
          deadlineMs: 1_700_000_123_456.5,
          replyTo: { topic: "replies", partition: 1, correlationId: "c-9" },
          ext: { traceparent: "00-ab", ["__proto__"]: "an ordinary name" },
        };
        const keys = ["", "plain", "größe", "秒杀", "lone \ud800 surrogate", "x".repeat(4096)];
        const append = keys.map((key, index) => ({
          topic: topicName,
          partition: 3,
          key,
          value: Buffer.from([0, 255, 10, index]),
          ...(index % 2 === 0 ? { headers } : {}),
        }));
        const { timeMs } = await engine.commit({ append });
        const read = await engine.read(topicName, 3, 0, { maxMessages: 100 });
        expect(read).toEqual(
          append.map((request, offset) => ({
            ...request,
            offset,
            timestampMs: timeMs,
            headers: request.headers ?? {},
          })),
        );
      }));
  });

  describe("retire", () => {
    it("removes a group's offsets on all partitions of that topic, and nothing of others", () =>
      withEngine(open, async ({ engine }) => {
        const append = [message("a", 0), message("b", 1), message("r", 0, "replies")];
        await engine.commit({ append });
        const kept = [
          { group: "sms", topic: topicName, partition: 0 },
          { group: "billing", topic: "replies", partition: 0 },
        ];
        for (const place of [...kept, ref, { ...ref, partition: 1 }]) {
          await engine.commit({ advance: { ...place, to: 1 } });
        }
        await engine.commit({ retire: { group: "billing", topic: topicName } });
        expect(await engine.committedOffset(ref)).toBe(0);
        expect(await engine.committedOffset({ ...ref, partition: 1 })).toBe(0);
        for (const place of kept) expect(await engine.committedOffset(place)).toBe(1);
        await engine.commit({ retire: { group: "unknown", topic: topicName } });
      }));

    it("comes before the advance of the same commit", () =>
      withEngine(open, async ({ engine }) => {
        await engine.commit({ append: [message("a", 0), message("b", 1)] });
        await engine.commit({ advance: { ...ref, to: 1 } });
        await engine.commit({
          retire: { group: "billing", topic: topicName },
          advance: { ...ref, partition: 1, to: 1 },
        });
        expect(await engine.committedOffset(ref)).toBe(0);
        expect(await engine.committedOffset({ ...ref, partition: 1 })).toBe(1);
      }));

    it("changes nothing when its commit is refused", () =>
      withEngine(open, async ({ engine }) => {
        await engine.commit({ append: [message("a")] });
        await engine.commit({ advance: { ...ref, to: 1 } });
        const present = [{ namespace: "n", key: "a", is: "present" }] as const;
        const refused = engine.commit({ expect: present, retire: { group: "billing", topic: topicName } });
        expect(await refusal(refused)).toBe("CONFLICT");
        expect(await engine.committedOffset(ref)).toBe(1);
      }));
  });

  describe("expectations", () => {
    it("refuses a commit whole with CONFLICT when an entry is not as expected", () =>
      withEngine(open, async ({ engine }) => {
        const absent = { namespace: "n", key: "a", is: "absent" } as const;
        const present = { namespace: "n", key: "a", is: "present" } as const;
        expect(await refusal(engine.commit({ expect: [present], append: [message("x")] }))).toBe("CONFLICT");
        await engine.commit({ expect: [absent], put: [{ namespace: "n", key: "a", value: Buffer.from("1") }] });
        expect(await refusal(engine.commit({ expect: [absent], append: [message("x")] }))).toBe("CONFLICT");
        await engine.commit({ expect: [present], put: [{ namespace: "n", key: "a", value: null }] });
        await engine.commit({ expect: [absent] });
        expect(await texts(engine)).toEqual([]);
      }));

    it("lets exactly one of many concurrent creators of an entry win", () =>
      withEngine(open, async ({ engine }) => {
        const outcomes = await Promise.allSettled(
          Array.from({ length: 50 }, (_, index) =>
            engine.commit({
              expect: [{ namespace: "n", key: "winner", is: "absent" }],
              put: [{ namespace: "n", key: "winner", value: Buffer.from(String(index)) }],
              append: [message(String(index))],
            }),
          ),
        );
        expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
        const [winner] = await engine.readState("n", ["winner"]);
        expect(await texts(engine)).toEqual([winner?.toString()]);
      }));

    it("counts a delete that is still under way", () =>
      withEngine(open, async ({ engine }) => {
        await engine.commit({ put: [{ namespace: "n", key: "a", value: Buffer.from("1") }] });
        const deleted = engine.commit({ put: [{ namespace: "n", key: "a", value: null }] });
        const second = refusal(engine.commit({ expect: [{ namespace: "n", key: "a", is: "present" }] }));
        await deleted;
        expect(await second).toBe("CONFLICT");
      }));

    it("counts an expired entry as absent", () =>
      withEngine(open, async ({ engine, passTime }) => {
        const put = [{ namespace: "n", key: "a", value: Buffer.from("1"), expiresAtMs: engine.now() + 50 }];
        await engine.commit({ put });
        await engine.commit({ expect: [{ namespace: "n", key: "a", is: "present" }] });
        await passTime(50);
        const present = engine.commit({ expect: [{ namespace: "n", key: "a", is: "present" }] });
        expect(await refusal(present)).toBe("CONFLICT");
        await engine.commit({ expect: [{ namespace: "n", key: "a", is: "absent" }] });
      }));
  });

  describe("bad input", () => {
    it.each([
      ["an unknown topic", { append: [{ ...message("x"), topic: "nowhere" }] }, "UNKNOWN_TOPIC"],
      ["a partition too high", { append: [message("x", 4)] }, "UNKNOWN_TOPIC"],
      ["a negative partition", { append: [message("x", -1)] }, "UNKNOWN_TOPIC"],
      ["a broken partition", { append: [message("x", 0.5)] }, "UNKNOWN_TOPIC"],
      ["an offset of an unknown topic", { advance: { ...ref, topic: "nowhere", to: 0 } }, "UNKNOWN_TOPIC"],
      ["to retire a group from an unknown topic", { retire: { group: "g", topic: "nowhere" } }, "UNKNOWN_TOPIC"],
      ["an offset beyond the end", { advance: { ...ref, to: 1 } }, "INVALID_ARGUMENT"],
      ["a negative offset", { advance: { ...ref, to: -1 } }, "INVALID_ARGUMENT"],
      ["a key too long", { append: [{ ...message("x"), key: "x".repeat(4097) }] }, "INVALID_ARGUMENT"],
      [
        "an expiry that is no time",
        { put: [{ namespace: "n", key: "k", value: Buffer.of(1), expiresAtMs: Number.NaN }] },
        "INVALID_ARGUMENT",
      ],
      [
        "a message above 1 MiB",
        { append: [{ ...message("x"), value: Buffer.alloc(1024 * 1024 + 1) }] },
        "MESSAGE_TOO_LARGE",
      ],
      [
        "an entry above 1 MiB",
        { put: [{ namespace: "n", key: "k", value: Buffer.alloc(1024 * 1024 + 1) }] },
        "MESSAGE_TOO_LARGE",
      ],
      [
        "headers above 64 KiB",
        { append: [{ ...message("x"), headers: { ext: { big: "x".repeat(65_536) } } }] },
        "MESSAGE_TOO_LARGE",
      ],
    ])("refuses %s", (_what, commit, code) =>
      withEngine(open, async ({ engine }) => {
        expect(await refusal(engine.commit(commit))).toBe(code);
      }),
    );

    it("takes a message of exactly 1 MiB", () =>
      withEngine(open, async ({ engine }) => {
        const value = Buffer.alloc(1024 * 1024, 7);
        await engine.commit({ append: [{ ...message("x"), value }] });
        const [read] = await engine.read(topicName, 0, 0, { maxMessages: 1 });
        expect(read?.value.equals(value)).toBe(true);
      }));
  });

  describe("topics", () => {
    it("takes a declaration again with the same partitions, and refuses another count", () =>
      withEngine(open, async ({ engine }) => {
        await engine.declareTopics([{ name: topicName, partitions: 4 }]);
        const declared = engine.declareTopics([
          { name: "fresh", partitions: 1 },
          { name: topicName, partitions: 5 },
        ]);
        expect(await refusal(declared)).toBe("INVALID_ARGUMENT");
        expect(engine.topic("fresh")).toBeUndefined();
        expect(engine.topic(topicName)?.partitions).toBe(4);
        expect(engine.topics().map(({ name }) => name)).toEqual([topicName, "replies"]);
      }));

    it("lets concurrent declarations of one topic agree or refuse", () =>
      withEngine(open, async ({ engine }) => {
        const outcomes = await Promise.allSettled([
          engine.declareTopics([{ name: "t", partitions: 2 }]),
          engine.declareTopics([{ name: "t", partitions: 2 }]),
          engine.declareTopics([{ name: "t", partitions: 3 }]),
        ]);
        expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
      }));

    it.each([0, 1025, 1.5, Number.NaN])("refuses %d partitions", (partitions) =>
      withEngine(open, async ({ engine }) => {
        expect(await refusal(engine.declareTopics([{ name: "t", partitions }]))).toBe("INVALID_ARGUMENT");
      }),
    );

    it("refuses a name that is empty or has spaces, and a ring without room", () =>
      withEngine(open, async ({ engine }) => {
        expect(await refusal(engine.declareTopics([{ name: "", partitions: 1 }]))).toBe("INVALID_ARGUMENT");
        expect(await refusal(engine.declareTopics([{ name: "a b", partitions: 1 }]))).toBe("INVALID_ARGUMENT");
        const ringless = engine.declareTopics([{ name: "t", partitions: 1, ringMessages: 0 }]);
        expect(await refusal(ringless)).toBe("INVALID_ARGUMENT");
      }));
  });
}

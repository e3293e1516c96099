import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Entry, SlidingWindow } from "./sliding-window.ts";

describe("a sliding window", () => {
  it("keeps its head at the first offset that is not acknowledged", () => {
    const window = new SlidingWindow<string>(5);
    for (const offset of [5, 6, 7]) window.add(offset, `key-${offset}`, "");
    const [first, second, third] = window.take(10) as [Entry<string>, Entry<string>, Entry<string>];
    window.acknowledge(second);
    window.acknowledge(third);
    expect([window.head, window.size]).toEqual([5, 3]);
    window.acknowledge(first);
    expect([window.head, window.size]).toEqual([8, 0]);
  });

  it("takes nothing of a line that runs or is held", () => {
    const window = new SlidingWindow<string>(0);
    window.add(0, "a", "");
    window.add(1, "a", "");
    const [first] = window.take(1) as [Entry<string>];
    expect(window.take(10)).toEqual([]);
    window.hold(first.line);
    expect(window.take(10)).toEqual([]);
    window.release(first.line);
    expect(window.take(10).map((entry) => entry.offset)).toEqual([0, 1]);
  });

  it("refuses transitions from a state that does not have them", () => {
    const window = new SlidingWindow<string>(0);
    window.add(0, "a", "");
    window.add(1, "a", "");
    const [first, second] = window.take(2) as [Entry<string>, Entry<string>];
    expect(() => window.acknowledge(second)).toThrow("not at the front");
    window.release(first.line);
    expect(() => window.release(first.line)).toThrow("released while ready");
    expect(() => window.hold(first.line)).toThrow("held while ready");
  });

  it("gives every message once it can be taken, in order of its key, under any schedule", () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("add" as const), key: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ do: fc.constant("skip" as const) }),
      fc.record({ do: fc.constant("take" as const), max: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ do: fc.constant("finish" as const), failAt: fc.integer({ min: 0, max: 5 }), held: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const window = new SlidingWindow<number>(0);
        const batches: Entry<number>[][] = [];
        const finished = new Map<string, number[]>();
        const added = new Map<string, number[]>();
        let next = 0;
        const finish = (batch: Entry<number>[], failAt: number): void => {
          const failed = new Set<string>();
          for (const [index, entry] of batch.entries()) {
            if (index === failAt || failed.has(entry.line.key)) {
              failed.add(entry.line.key);
              continue;
            }
            window.acknowledge(entry);
            finished.set(entry.line.key, [...(finished.get(entry.line.key) ?? []), entry.offset]);
          }
          for (const line of new Set(batch.map((entry) => entry.line))) window.release(line);
        };
        for (const current of steps) {
          if (current.do === "add") {
            const key = String(current.key);
            added.set(key, [...(added.get(key) ?? []), next]);
            window.add(next, key, next);
            next++;
          } else if (current.do === "skip") {
            window.addAcknowledged(next++);
          } else if (current.do === "take") {
            const batch = window.take(current.max);
            expect(batch.length).toBeLessThanOrEqual(current.max);
            if (batch.length > 0) batches.push(batch);
          } else {
            const batch = batches.shift();
            if (batch !== undefined) finish(batch, current.failAt);
          }
        }
        for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) finish(batch, -1);
        for (let batch = window.take(3); batch.length > 0; batch = window.take(3)) finish(batch, -1);
        expect(finished).toEqual(added);
        expect([window.head, window.size]).toEqual([next, 0]);
      }),
    );
  });
});

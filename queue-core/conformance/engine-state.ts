/** Conformance of keyed state: reads, scans, expiry, change listeners. */
import { describe, expect, it } from "vitest";
import type { Engine } from "../src/engine.ts";
import { type EngineFeatures, type OpenHarness, withEngine } from "./engine-harness.ts";

const put = (key: string, value: string, expiresAtMs?: number) => ({
  namespace: "n",
  key,
  value: Buffer.from(value),
  ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
});

async function keys(engine: Engine, options: { after?: string; before?: string; limit: number }): Promise<string[]> {
  return (await engine.scanState("n", options)).map(({ key }) => key);
}

export function stateConformance(_features: EngineFeatures, open: OpenHarness): void {
  describe("state", () => {
    it("reads entries in the order asked for, undefined where there is none", () =>
      withEngine(open, async ({ engine }) => {
        await engine.commit({ put: [put("a", "1"), put("b", ""), put("a", "2")] });
        const read = await engine.readState("n", ["b", "c", "a"]);
        expect(read.map((value) => value?.toString())).toEqual(["", undefined, "2"]);
        expect(await engine.readState("elsewhere", ["a"])).toEqual([undefined]);
      }));

    it("scans in the order of UTF-16 code units, between after and before, up to the limit", () =>
      withEngine(open, async ({ engine }) => {
        const names = ["b", "a", "é", "\uffee", "\u{1f600}", "B", "10", "9", ""];
        await engine.commit({ put: names.map((key) => put(key, key)) });
        const sorted = [...names].sort();
        expect(await keys(engine, { limit: 100 })).toEqual(sorted);
        expect(await keys(engine, { limit: 3 })).toEqual(sorted.slice(0, 3));
        expect(await keys(engine, { limit: 0 })).toEqual([]);
        expect(await keys(engine, { after: "9", limit: 2 })).toEqual(["B", "a"]);
        expect(await keys(engine, { after: "A", before: "b", limit: 100 })).toEqual(["B", "a"]);
        expect(await keys(engine, { after: "a", before: "a", limit: 100 })).toEqual([]);
        expect(await engine.scanState("elsewhere", { limit: 10 })).toEqual([]);
      }));

    it("scans what was put and deleted since the last scan", () =>
      withEngine(open, async ({ engine }) => {
        const due = (index: number) => String(index).padStart(8, "0");
        const expected = new Set<string>();
        let seed = 7;
        const random = (below: number) => {
          seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
          return Math.floor((seed / 2 ** 32) * below);
        };
        for (let round = 0; round < 60; round++) {
          const writes = Array.from({ length: 40 }, () => {
            const key = due(random(1500));
            const remove = random(3) === 0;
            if (remove) expected.delete(key);
            else expected.add(key);
            return { namespace: "n", key, value: remove ? null : Buffer.from("x") };
          });
          await engine.commit({ put: writes });
          expect(await keys(engine, { limit: 10_000 })).toEqual([...expected].sort());
        }
        const after = due(700);
        expect(await keys(engine, { after, limit: 5 })).toEqual(
          [...expected]
            .filter((key) => key > after)
            .sort()
            .slice(0, 5),
        );
      }));

    it("works off a queue of due keys from its head", () =>
      withEngine(open, async ({ engine }) => {
        const due = (index: number) => String(index).padStart(8, "0");
        for (let from = 0; from < 3000; from += 500) {
          await engine.commit({ put: Array.from({ length: 500 }, (_, index) => put(due(from + index), "x")) });
        }
        for (let head = 0; head < 3000; head += 300) {
          const found = await keys(engine, { before: due(2990), limit: 300 });
          expect(found[0]).toBe(due(head));
          await engine.commit({ put: found.map((key) => ({ namespace: "n", key, value: null })) });
        }
        expect(await keys(engine, { limit: 100 })).toEqual(Array.from({ length: 10 }, (_, index) => due(2990 + index)));
      }));

    it("reads an expired entry as absent, and takes a new one in its place", () =>
      withEngine(open, async ({ engine, passTime }) => {
        const start = engine.now();
        await engine.commit({
          put: [put("short", "1", start + 40), put("long", "1", start + 100_000), put("ever", "1")],
        });
        expect(await keys(engine, { limit: 9 })).toEqual(["ever", "long", "short"]);
        await passTime(40);
        expect(await engine.readState("n", ["short"])).toEqual([undefined]);
        expect(await keys(engine, { limit: 9 })).toEqual(["ever", "long"]);
        await engine.commit({ put: [put("short", "2")] });
        expect((await engine.readState("n", ["short"]))[0]?.toString()).toBe("2");
      }));

    it("lets a later write replace the expiry", () =>
      withEngine(open, async ({ engine, passTime }) => {
        await engine.commit({ put: [put("a", "1", engine.now() + 30)] });
        await engine.commit({ put: [put("a", "2")] });
        await passTime(3000);
        await engine.commit({});
        expect((await engine.readState("n", ["a"]))[0]?.toString()).toBe("2");
      }));

    it("takes an entry that has expired already as absent", () =>
      withEngine(open, async ({ engine }) => {
        await engine.commit({ put: [put("a", "1", engine.now())] });
        expect(await engine.readState("n", ["a"])).toEqual([undefined]);
      }));

    it("counts the entries of each namespace by itself, and no expired one once it was freed", () =>
      withEngine(open, async ({ engine, passTime }) => {
        expect(await engine.countState("n")).toBe(0);
        await engine.commit({ put: [put("a", "1"), put("b", "2"), put("c", "3", engine.now() + 30)] });
        await engine.commit({ put: [put("a", "again"), { namespace: "m", key: "a", value: Buffer.from("x") }] });
        expect([await engine.countState("n"), await engine.countState("m")]).toEqual([3, 1]);
        await engine.commit({ put: [{ namespace: "n", key: "b", value: null }] });
        await passTime(3000);
        await engine.commit({});
        expect(await engine.countState("n")).toBe(1);
      }));

    it("frees expired entries as commits go on", () =>
      withEngine(open, async ({ engine, passTime }) => {
        const before = engine.statistics().stateEntries;
        const start = engine.now();
        await engine.commit({ put: Array.from({ length: 100 }, (_, index) => put(`k${index}`, "x", start + index)) });
        await passTime(3000);
        await engine.commit({});
        expect(engine.statistics().stateEntries).toBe(before);
      }));

    it("tells listeners of a namespace of writes there alone, until stopped", () =>
      withEngine(open, async ({ engine }) => {
        let told = 0;
        const stop = engine.onStateChange("n", () => told++);
        await engine.commit({ put: [put("a", "1"), put("b", "1")] });
        await Promise.resolve();
        expect(told).toBe(1);
        await engine.commit({ put: [{ namespace: "other", key: "a", value: Buffer.from("x") }] });
        await Promise.resolve();
        expect(told).toBe(1);
        await engine.commit({ put: [{ namespace: "n", key: "a", value: null }] });
        await Promise.resolve();
        expect(told).toBe(2);
        stop();
        await engine.commit({ put: [put("a", "1")] });
        await Promise.resolve();
        expect(told).toBe(2);
      }));
  });
}

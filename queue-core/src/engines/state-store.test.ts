/** Packed state entries against a model of plain maps, and what they hold on to. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EntrySlabs } from "./entry-slabs.ts";
import { StateStore } from "./state-store.ts";

const namespaces = ["a/b/0", "a/b/1", "$delay/t/0"];
/** Short, long, wide, unpaired, empty. */
const keys = [...Array.from({ length: 40 }, (_, n) => `k${n}`), "", "é", "\u{1f600}", "\ud800", "x".repeat(4096)];

interface Modelled {
  readonly value: Buffer;
  readonly expiresAtMs: number;
}

type Operation =
  | { readonly kind: "put"; readonly bytes: number; readonly lifeMs: number | null }
  | { readonly kind: "delete" }
  | { readonly kind: "wait"; readonly ms: number };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("put" as const), bytes: fc.nat(9_000), lifeMs: fc.option(fc.nat(8_000)) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("put" as const), bytes: fc.nat(130), lifeMs: fc.constant(90_000_000) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("delete" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(5_000) }) },
);
const step = fc.tuple(fc.nat(namespaces.length - 1), fc.nat(keys.length - 1), operation);

describe("state store", () => {
  it("reads, scans and counts as plain maps do, whatever is put, deleted and expires", () => {
    fc.assert(fc.property(fc.array(step, { minLength: 20, maxLength: 300 }), comparedWithMaps), { numRuns: 60 });
  });

  it("keeps and finds a hundred thousand entries while a part of them goes again", () => {
    const store = new StateStore();
    const put = (key: string, value: string) => store.restore({ namespace: "n", key, value: Buffer.from(value) });
    for (let n = 0; n < 100_000; n++) {
      put(`key-${n}`, `value-${n}`);
      if (n % 3 === 0) store.restore({ namespace: "n", key: `key-${n >> 1}`, value: null });
    }
    const gone = new Set(Array.from({ length: 33_334 }, (_, n) => (n * 3) >> 1));
    for (let n = 0; n < 100_000; n += 7) {
      expect(store.read("n", `key-${n}`, 0)?.toString()).toBe(gone.has(n) ? undefined : `value-${n}`);
    }
    expect(store.size).toBe(100_000 - gone.size);
  });

  it("frees many entries that expire at once over several sweeps, a bounded number in each", () => {
    const store = new StateStore();
    const value = Buffer.from("x");
    for (let n = 0; n < 50_000; n++) store.restore({ namespace: "n", key: `${n}`, value, expiresAtMs: 500 });
    let nowMs = 10_000;
    store.sweep(nowMs);
    expect(store.size).toBeGreaterThan(30_000);
    expect(store.read("n", "49999", nowMs)).toBeUndefined();
    while (store.size > 0 && nowMs < 20_000) {
      const before = store.size;
      store.sweep(++nowMs);
      expect(before - store.size).toBeLessThan(1_000);
    }
    expect(store.size).toBe(0);
  });

  it("frees an entry once it expires, after it was prolonged again and again", () => {
    const store = new StateStore();
    const value = Buffer.from("x");
    for (let nowMs = 0; nowMs < 200_000; nowMs += 100) {
      store.restore({ namespace: "n", key: "k", value, expiresAtMs: nowMs + 3_000 });
      store.sweep(nowMs);
      expect(store.size).toBe(1);
    }
    store.sweep(205_000);
    expect(store.size).toBe(0);
  });
});

describe("entry slabs", () => {
  it("give their memory back once what they held is gone", () => {
    const slabs = new EntrySlabs();
    const value = Buffer.alloc(120);
    const addresses = Array.from({ length: 10_000 }, (_, n) => slabs.add(0, `key-${n}`, value, 1));
    expect(slabs.count).toBeGreaterThan(20);
    for (const address of addresses) slabs.remove(address);
    expect(slabs.count).toBe(1);
    for (const address of addresses) expect(slabs.isRecord(address)).toBe(false);
  });

  it("take no address kept from an earlier record for one inside another", () => {
    const slabs = new EntrySlabs();
    const small = Array.from({ length: 5_000 }, (_, n) => slabs.add(0, `${n}`, Buffer.alloc(10), 1));
    for (const address of small) slabs.remove(address);
    const large = new Set(Array.from({ length: 300 }, (_, n) => slabs.add(0, `${n}`, Buffer.alloc(1_000, 0xff), 1)));
    for (const address of small) expect(slabs.isRecord(address)).toBe(large.has(address));
  });
});

function comparedWithMaps(steps: [number, number, Operation][]): void {
  const store = new StateStore();
  const model = new Map(namespaces.map((name) => [name, new Map<string, Modelled>()]));
  let nowMs = 1_000_000;
  for (const [at, keyAt, done] of steps) {
    const namespace = namespaces[at] as string;
    const key = keys[keyAt] as string;
    if (done.kind === "wait") nowMs += done.ms;
    else if (done.kind === "put") {
      const value = Buffer.alloc(done.bytes, done.bytes);
      const expiresAtMs = done.lifeMs === null ? undefined : nowMs + done.lifeMs;
      store.restore({ namespace, key, value, ...(expiresAtMs === undefined ? {} : { expiresAtMs }) });
      model.get(namespace)?.set(key, { value, expiresAtMs: expiresAtMs ?? Number.POSITIVE_INFINITY });
    } else {
      store.restore({ namespace, key, value: null });
      model.get(namespace)?.delete(key);
    }
    store.sweep(nowMs);
    expect(store.read(namespace, key, nowMs)).toEqual(living(model.get(namespace)?.get(key), nowMs)?.value);
  }
  nowMs += 5_000;
  store.sweep(nowMs);
  let left = 0;
  let freedSoon = 0;
  for (const [namespace, entries] of model) {
    const expected = [...entries].filter(([, entry]) => living(entry, nowMs) !== undefined);
    expected.sort(([one], [other]) => (one < other ? -1 : 1));
    left += expected.length;
    freedSoon += [...entries].filter(
      ([, { expiresAtMs }]) => expiresAtMs <= nowMs && expiresAtMs > nowMs - 1_000,
    ).length;
    expect(store.scan(namespace, { limit: 1_000 }, nowMs)).toEqual(
      expected.map(([key, { value }]) => ({ key, value })),
    );
  }
  expect(store.size).toBeGreaterThanOrEqual(left);
  expect(store.size).toBeLessThanOrEqual(left + freedSoon);
}

function living(entry: Modelled | undefined, nowMs: number): Modelled | undefined {
  return entry !== undefined && entry.expiresAtMs > nowMs ? entry : undefined;
}

import { expect, test } from "vitest";
import { createTries, type KeyStorage } from "./tries.ts";

const of = { userId: "u_1", saleId: "s_1" };

function memoryStorage(): KeyStorage {
  const entries = new Map<string, string>();
  return {
    getItem: (name) => entries.get(name) ?? null,
    setItem: (name, value) => void entries.set(name, value),
    removeItem: (name) => void entries.delete(name),
  };
}

function bed(storage: KeyStorage | undefined = memoryStorage()) {
  let nowMs = 1_000_000;
  let keys = 0;
  const deps = { storage, nowMs: () => nowMs, newKey: () => `key-${++keys}` };
  return { page: () => createTries(of, deps), pass: (ms: number) => (nowMs += ms) };
}

test("a second click, a reload and a second tab get the key of the unfinished try", () => {
  const { page } = bed();
  const tries = page();
  expect(tries.begin().key).toBe("key-1");
  expect(tries.begin().key).toBe("key-1");
  expect(page().begin().key).toBe("key-1");
});

test("after its end a new try has a new key", () => {
  const { page } = bed();
  const tries = page();
  tries.begin();
  tries.end();
  expect(tries.unfinished()).toBeUndefined();
  expect(tries.begin().key).toBe("key-2");
});

test("a try left behind long ago is not taken up again: that would buy long after the click", () => {
  const { page, pass } = bed();
  page().begin();
  pass(44_000);
  expect(page().unfinished()?.key).toBe("key-1");
  pass(2_000);
  expect(page().unfinished()).toBeUndefined();
});

test("with storage forbidden or broken a key still lives as long as the page", () => {
  const forbidden: KeyStorage = {
    getItem: () => {
      throw new Error("denied");
    },
    setItem: () => {
      throw new Error("denied");
    },
    removeItem: () => {
      throw new Error("denied");
    },
  };
  const tries = bed(forbidden).page();
  expect(tries.begin().key).toBe("key-1");
  expect(tries.begin().key).toBe("key-1");
  tries.end();
  expect(tries.begin().key).toBe("key-2");
  expect(
    bed({ ...memoryStorage(), getItem: () => "{not json" })
      .page()
      .unfinished(),
  ).toBeUndefined();
});

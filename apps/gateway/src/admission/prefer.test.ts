import { expect, test } from "vitest";
import { readPreference } from "./prefer.ts";

const limits = { waitMs: 2_000, waitMaxMs: 30_000 };

test.each([
  [undefined, 2_000, undefined],
  ["respond-async", 0, "respond-async"],
  ["wait=5", 5_000, "wait=5"],
  ["respond-async, wait=10", 10_000, "wait=10"],
  ['Wait = "3"', 3_000, "wait=3"],
  ["wait=0", 0, "wait=0"],
  ["wait=9999", 30_000, "wait=30"],
  ["wait=-1", 2_000, undefined],
  ["wait=1.5", 2_000, undefined],
  ["wait=", 2_000, undefined],
  ["return=minimal", 2_000, undefined],
  [",,;=", 2_000, undefined],
])("Prefer: %s holds the call for %d ms", (header, waitMs, applied) => {
  expect(readPreference(header, limits)).toEqual({ waitMs, applied });
});

import { expect, test } from "vitest";
import { passedMark } from "./use-coarse-time.ts";

test("a minute of countdown is told three times, and a page that slept tells only the mark it woke behind", () => {
  const told = Array.from({ length: 61 }, (_, second) => passedMark(62_000 - second * 1_000, 61_000 - second * 1_000));
  expect(told.filter((mark) => mark !== undefined)).toEqual([60_000, 30_000, 10_000]);
  expect(passedMark(400_000, 8_000)).toBe(10_000);
});

test("time that is set anew or unknown tells nothing", () => {
  expect(passedMark(10_000, 300_000)).toBeUndefined();
  expect(passedMark(undefined, 10_000)).toBeUndefined();
  expect(passedMark(10_000, undefined)).toBeUndefined();
});

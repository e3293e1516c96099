import { expect, test } from "vitest";
import { aboutText, clockText, countdownText } from "./format.ts";

test("a countdown is rounded up, so that it reads zero exactly when it is over", () => {
  expect([61_000, 60_001, 1, 0, -5_000].map(countdownText)).toEqual(["01:01", "01:01", "00:01", "00:00", "00:00"]);
  expect(countdownText(3_723_000)).toBe("1:02:03");
  expect(countdownText(50 * 3_600_000)).toBe("2 d 2 h");
});

test("an estimate is never zero and never too exact", () => {
  expect([20, 2_400, 89_000, 95_000].map(aboutText)).toEqual(["about 1 s", "about 2 s", "about 89 s", "about 2 min"]);
});

test("a moment is written on the clock of a time zone", () => {
  expect(clockText("2026-03-01T12:00:05Z", "second", "UTC")).toBe("12:00:05");
  expect(clockText("2026-03-01T23:30:00Z", "minute", "Asia/Shanghai")).toBe("07:30");
});

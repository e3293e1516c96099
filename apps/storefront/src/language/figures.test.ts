import { createTranslator } from "use-intl/core";
import { expect, test } from "vitest";
import { createFigures } from "./figures.ts";
import type { Language } from "./languages.ts";
import { messages } from "./messages.ts";

const of = (language: Language) =>
  createFigures(language, createTranslator({ locale: language, messages: messages[language], namespace: "words" }));
const en = of("en");
const zh = of("zh");

test("a countdown is rounded up, so that it reads zero exactly when it is over", () => {
  const texts = [61_000, 60_001, 1, 0, -5_000].map((ms) => en.countdown(ms));
  expect(texts).toEqual(["01:01", "01:01", "00:01", "00:00", "00:00"]);
  expect(en.countdown(3_723_000)).toBe("1:02:03");
  expect(en.countdown(50 * 3_600_000)).toBe("2 d 2 h");
  expect(zh.countdown(50 * 3_600_000)).toBe("2 天 2 小时");
});

test("an estimate is never zero and never too exact", () => {
  const texts = [20, 2_400, 89_000, 95_000].map((ms) => en.about(ms));
  expect(texts).toEqual(["about 1 s", "about 2 s", "about 89 s", "about 2 min"]);
  expect(zh.about(95_000)).toBe("约 2 分钟");
});

test("a moment is written on the 24-hour clock of a time zone", () => {
  for (const { clock } of [en, zh]) {
    expect(clock("2026-03-01T12:00:05Z", "second", "UTC")).toBe("12:00:05");
    expect(clock("2026-03-01T16:30:00Z", "minute", "Asia/Shanghai")).toBe("00:30");
  }
  expect(en.clock("2026-03-01T12:00:05Z", "day", "UTC")).toMatch(/^1 March 2026.* 12:00$/);
  expect(zh.clock("2026-03-01T12:00:05Z", "day", "UTC")).toMatch(/^2026年3月1日.*12:00$/);
});

test("money, counts and spans are written as each language writes them", () => {
  expect([en.price(123_456), zh.price(123_456)]).toEqual(["€1,234.56", "€1,234.56"]);
  expect([en.units(1), en.units(1_200), zh.units(1_200)]).toEqual(["1 unit", "1,200 units", "1,200 件"]);
  expect([en.span(90_000), en.span(300_000), zh.span(300_000)]).toEqual(["90 seconds", "5 minutes", "5 分钟"]);
  expect([en.since(1_234), en.since(61_000), zh.since(61_000)]).toEqual(["1,234 ms", "1 min 1 s", "1 分 1 秒"]);
});

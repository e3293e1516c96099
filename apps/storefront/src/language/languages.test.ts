import { expect, test } from "vitest";
import { chooseLanguage } from "./languages.ts";

test.each([
  ["zh-CN,zh;q=0.9,en;q=0.8", "zh"],
  ["zh-Hant-HK", "zh"],
  ["en-US,en;q=0.9,zh;q=0.8", "en"],
  ["en;q=0.2, zh;q=0.7", "zh"],
  ["de-DE, fr;q=0.9, zh;q=0.1", "zh"],
  ["zh;q=0, en;q=0.1", "en"],
  ["de, fr", "en"],
  ["*", "en"],
  ["", "en"],
  ["zh;q=not-a-number", "en"],
])("of the browser's languages %j the pages speak %s", (header, expected) => {
  expect(chooseLanguage(undefined, header)).toBe(expected);
});

test("what was chosen by hand wins over the browser, and what is no language of ours does not count", () => {
  expect(chooseLanguage("zh", "en")).toBe("zh");
  expect(chooseLanguage("en", "zh")).toBe("en");
  expect(chooseLanguage("klingon", "zh")).toBe("zh");
  expect(chooseLanguage(undefined, null)).toBe("en");
});

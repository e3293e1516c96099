import { describe, expect, it } from "vitest";
import { stripsTypes } from "./node-runtime.mjs";

describe("a Node that runs TypeScript as it is", () => {
  it.each([
    ["20.20.2", false],
    ["22.17.1", false],
    ["22.18.0", true],
    ["23.5.0", false],
    ["23.6.0", true],
    ["24.0.0", true],
    ["26.1.0", true],
  ])("%s: %s", (version, expected) => {
    expect(stripsTypes(version)).toBe(expected);
  });
});

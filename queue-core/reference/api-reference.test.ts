import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import * as redis from "../src/engines/redis/index.ts";
import * as queueCore from "../src/index.ts";
import { apiReference, command } from "./api-reference.ts";
import { publicExports } from "./public-exports.ts";

it("API.md is current", () => {
  const written = readFileSync(new URL("../API.md", import.meta.url), "utf8");
  expect(written === apiReference(), `an export changed: run ${command}`).toBe(true);
});

it("every public export has a doc comment", () => {
  const without = publicExports().filter(({ comment }) => comment === undefined);
  expect(without.map(({ file, name }) => `${name} in ${file}`)).toEqual([]);
});

it("the reference has every value that a program can import, each once", () => {
  const names = publicExports().map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining([...Object.keys(queueCore), ...Object.keys(redis)]));
});

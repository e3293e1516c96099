import { expect, test } from "vitest";
import { readSettings } from "./settings.ts";
import { StartProblem } from "./start-problem.ts";

test("--fresh together with a database of one's own is refused: it would leave the orders without their log", () => {
  const env = { DATABASE_URL: "postgresql://localhost/shop" };
  expect(() => readSettings(env, ["--fresh"], "/")).toThrow(StartProblem);
  expect(readSettings(env, [], "/").fresh).toBe(false);
  expect(readSettings({}, ["--fresh"], "/").fresh).toBe(true);
});

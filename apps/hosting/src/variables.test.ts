import { expect, test } from "vitest";
import { StartProblem } from "./start-problem.ts";
import { values } from "./variable-values.ts";
import { helpOf, optional, readVariables, required, withDefault } from "./variables.ts";

const variables = {
  REDIS_URL: required("the queue's Redis", values.redisUrl),
  DATABASE_URL: required("the database", values.databaseUrl),
  PORT: withDefault("where it listens", values.port, "3000"),
  SANDBOX_URL: optional("the outside world", values.httpUrl, "none"),
};
const urls = { REDIS_URL: "redis://localhost:6379", DATABASE_URL: "postgresql://localhost/shop" };

test("values are read and checked; what is not given has its default", () => {
  expect(readVariables(variables, { ...urls, PORT: " 80 ", SANDBOX_URL: "" })).toEqual({
    ...urls,
    PORT: 80,
    SANDBOX_URL: undefined,
  });
  expect(readVariables(variables, urls).PORT).toBe(3_000);
});

test("everything that is missing is told at once, with what it is for", () => {
  expect(() => readVariables(variables, { PORT: "x", DATABASE_URL: "" })).toThrow(
    "REDIS_URL is not set: the queue's Redis\nDATABASE_URL is not set: the database",
  );
});

test.each([
  [{ PORT: "70000" }, 'PORT must be a number up to 65535, not "70000"'],
  [{ SANDBOX_URL: "ftp://x" }, 'SANDBOX_URL must be an http:// address, not "ftp://x"'],
  [{ REDIS_URL: "http://:secret@x" }, "REDIS_URL must be a redis:// or rediss:// address"],
])("what makes no sense is refused by name, and no password is repeated: %j", (wrong, message) => {
  const read = () => readVariables(variables, { ...urls, ...wrong });
  expect(read).toThrow(StartProblem);
  expect(read).toThrow(new StartProblem(message));
});

test("the help names every variable, with its default or that it is needed", () => {
  const help = helpOf("Does something.", variables);
  expect(help).toContain("REDIS_URL     the queue's Redis (needed)");
  expect(help).toContain("PORT          where it listens (default: 3000)");
  expect(help).toContain("SANDBOX_URL   the outside world (default: none)");
});

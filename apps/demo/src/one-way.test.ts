/** One way with all that it works on, as a load from outside gets it. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestPostgres, type TestDatabase, type TestPostgres } from "@plateau/prisma/testing/postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startOneWay } from "./one-way.ts";

let postgres: TestPostgres;
let database: TestDatabase;
let home: string;

beforeAll(async () => {
  postgres = await startTestPostgres();
  database = await postgres.createDatabase({ migrated: false });
  home = await mkdtemp(join(tmpdir(), "one way "));
});
afterAll(async () => {
  await postgres.stop();
  await rm(home, { recursive: true, force: true });
});

it("serves, holds what was heard outside against what it sold, and leaves no log behind", async () => {
  const way = await startOneWay({ way: "request-queue", folder: join(home, "way"), databaseUrl: database.url });
  const bought = await fetch(`${way.url}/api/sales/${way.saleId}/purchases`, {
    method: "POST",
    headers: { authorization: "Bearer ann", "idempotency-key": "first" },
  });
  expect(bought.status).toBe(201);
  expect((await way.truth(1)).filter(({ verdict }) => verdict !== "pass")).toEqual([]);
  const tooMany = (await way.truth(2)).filter(({ verdict }) => verdict !== "pass");
  expect(tooMany.map(({ id, verdict }) => [id, verdict])).toEqual([["heard-outside", "fail"]]);
  await way.stop();
  expect(existsSync(join(home, "way", "logs"))).toBe(false);
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "./database.ts";
import { inTurn } from "./in-turn.ts";
import { startTestPostgres, type TestDatabase, type TestPostgres } from "./testing/postgres.ts";

let postgres: TestPostgres;
let database: TestDatabase;

beforeAll(async () => {
  postgres = await startTestPostgres();
  database = await postgres.createDatabase();
});
afterAll(() => postgres.stop());

test("work under one name runs one after another, also of several processes, and a failure lets the next one in", async () => {
  const one = openDatabase(database.url);
  const clients = [one, openDatabase(database.url)];
  let running = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++running);
    await one.$queryRaw`SELECT 1`;
    running--;
    throw new Error("no luck");
  };
  const turns = await Promise.allSettled(clients.flatMap((db) => [1, 2, 3].map(() => inTurn(db, "seed", work))));
  expect(turns.every(({ status }) => status === "rejected")).toBe(true);
  expect(most).toBe(1);
  await Promise.all(clients.map((db) => db.$disconnect()));
});

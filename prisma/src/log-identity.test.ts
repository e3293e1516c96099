import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "./database.ts";
import { claimForLog } from "./log-identity.ts";
import { startTestPostgres, type TestPostgres } from "./testing/postgres.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
}, 60_000);
afterAll(() => postgres.stop());

test("a database belongs to the first log that works on it, and to no other", async () => {
  const database = await postgres.createDatabase();
  const db = openDatabase(database.url, { poolSize: 2 });
  try {
    const first = await Promise.all([claimForLog(db, "a"), claimForLog(db, "b")]);
    expect(first.filter(Boolean)).toHaveLength(1);
    const [owner, other] = first[0] ? ["a", "b"] : ["b", "a"];
    expect(await claimForLog(db, owner)).toBe(true);
    expect(await claimForLog(db, other)).toBe(false);
  } finally {
    await db.$disconnect();
    await database.drop();
  }
});

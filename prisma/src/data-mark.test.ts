import { afterAll, beforeAll, expect, test } from "vitest";
import { noteMark, recallMark, replaceMark } from "./data-mark.ts";
import { openDatabase } from "./database.ts";
import { startTestPostgres, type TestPostgres } from "./testing/postgres.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
}, 60_000);
afterAll(() => postgres.stop());

test("a mark only moves forward, and only within its incarnation, until an operator replaces it", async () => {
  const database = await postgres.createDatabase();
  const db = openDatabase(database.url, { poolSize: 4 });
  const a = (sequence: number, fork = 0) => ({ incarnation: "a", sequence, fork });
  try {
    expect(await recallMark(db)).toBeUndefined();
    await Promise.all([3, 7, 5].map((sequence) => noteMark(db, a(sequence))));
    expect(await recallMark(db)).toEqual(a(7));
    await noteMark(db, a(9, 1));
    await noteMark(db, a(8, 2));
    await noteMark(db, { incarnation: "b", sequence: 100 });
    expect(await recallMark(db)).toEqual(a(9, 1));
    await replaceMark(db, { incarnation: "b", sequence: 4, fork: 2 });
    await noteMark(db, a(50));
    expect(await recallMark(db)).toEqual({ incarnation: "b", sequence: 4, fork: 2 });
  } finally {
    await db.$disconnect();
    await database.drop();
  }
});

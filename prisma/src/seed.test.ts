import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, openDatabase } from "./database.ts";
import { seed } from "./seed.ts";
import { startTestPostgres, type TestPostgres } from "./testing/postgres.ts";

const hourMs = 3_600_000;
const noon = new Date("2031-05-04T12:17:31.250Z");

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
}, 60_000);
afterAll(() => postgres.stop());

async function withDatabase(work: (db: Database) => Promise<void>): Promise<void> {
  const database = await postgres.createDatabase();
  const db = openDatabase(database.url, { poolSize: 2 });
  try {
    await work(db);
  } finally {
    await db.$disconnect();
    await database.drop();
  }
}

const windowAt = (db: Database, at: Date) => ({
  open: () => db.sale.findMany({ where: { startsAt: { lte: at }, endsAt: { gt: at }, closedAt: null } }),
  upcoming: () => db.sale.findMany({ where: { startsAt: { gt: at } }, orderBy: { startsAt: "asc" } }),
});

test("a first seed fills the shelf and leaves sales open, upcoming on the hour, and one to be sold out", () =>
  withDatabase(async (db) => {
    const result = await seed(db, { now: noon });
    expect(await db.product.count()).toBe(12);
    const open = await windowAt(db, noon).open();
    expect(open.length).toBeGreaterThanOrEqual(4);
    const upcoming = await windowAt(db, noon).upcoming();
    expect(upcoming).toHaveLength(6);
    expect(upcoming.every((sale) => sale.startsAt.getTime() % hourMs === 0)).toBe(true);
    expect(upcoming[0]?.startsAt.toISOString()).toBe("2031-05-04T13:00:00.000Z");
    expect(result.toSellOut).toHaveLength(1);
    expect(open.map((sale) => sale.id)).toEqual(expect.arrayContaining([...result.toSellOut]));
    expect([...result.created].sort()).toEqual((await db.sale.findMany()).map((sale) => sale.id).sort());
  }));

test("seeding again at the same time changes nothing, and in another database makes the same rows", async () => {
  const made: unknown[] = [];
  for (let run = 0; run < 2; run++) {
    await withDatabase(async (db) => {
      await seed(db, { now: noon });
      const rows = await db.sale.findMany({ orderBy: { id: "asc" }, omit: { createdAt: true } });
      expect(await seed(db, { now: noon })).toMatchObject({ created: [] });
      expect(await db.sale.findMany({ orderBy: { id: "asc" }, omit: { createdAt: true } })).toEqual(rows);
      made.push(rows);
    });
  }
  expect(made[0]).toEqual(made[1]);
});

test("seeded days later, hours later or minutes later, the shop is open, upcoming and to be sold out again", () =>
  withDatabase(async (db) => {
    for (const laterMs of [0, 7 * 60_000, 55 * 60_000, 3 * hourMs, 23 * hourMs, 24 * hourMs, 200 * hourMs]) {
      const now = new Date(noon.getTime() + laterMs);
      const { toSellOut } = await seed(db, { now });
      const open = await windowAt(db, now).open();
      expect(new Set(open.map((sale) => sale.productId)).size).toBeGreaterThanOrEqual(4);
      expect(open.map((sale) => sale.id)).toEqual(expect.arrayContaining([...toSellOut]));
      expect(await windowAt(db, now).upcoming()).toHaveLength(6);
    }
  }));

test("a sale closed by hand is replaced by a later seed, not reopened", () =>
  withDatabase(async (db) => {
    const { toSellOut } = await seed(db, { now: noon });
    const closed = toSellOut[0] ?? "";
    await db.sale.update({ where: { id: closed }, data: { closedAt: noon } });
    const later = await seed(db, { now: new Date(noon.getTime() + 60_000) });
    expect(later.toSellOut).not.toContain(closed);
    expect(later.toSellOut).toHaveLength(1);
  }));

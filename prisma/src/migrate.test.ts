import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "./database.ts";
import { differenceToSchema, migrate } from "./migrate.ts";
import { seed } from "./seed.ts";
import { startTestPostgres, type TestDatabase, type TestPostgres } from "./testing/postgres.ts";

let postgres: TestPostgres;
let database: TestDatabase;
beforeAll(async () => {
  postgres = await startTestPostgres();
  database = await postgres.createDatabase();
}, 60_000);
afterAll(() => postgres.stop());

test("schema.prisma and the migrations describe the same database", async () => {
  expect(await differenceToSchema(database.url)).toBe("");
});

test("a migrated database differs from the schema as soon as one index is gone, so the comparison can fail", async () => {
  const other = await postgres.createDatabase();
  const db = openDatabase(other.url);
  await db.$executeRaw`DROP INDEX "orders_sale_id_idx"`;
  await db.$disconnect();
  expect(await differenceToSchema(other.url)).toContain("orders_sale_id_idx");
  await other.drop();
});

test("migrating again applies nothing, and two that migrate at once agree", async () => {
  expect(await migrate(database.url)).toEqual([]);
  const empty = await postgres.createDatabase({ migrated: false });
  const applied = await Promise.all([migrate(empty.url), migrate(empty.url)]);
  expect(applied.flat()).toEqual([
    "20260101000000_first_shop",
    "20260201000000_data_mark",
    "20260201000001_times_of_orders",
  ]);
  await empty.drop();
});

test("a process without flags migrates, and nothing then keeps it alive", () => {
  const script = `import { migrate } from ${JSON.stringify(new URL("./migrate.ts", import.meta.url).href)};
    const applied = await migrate(process.argv[1]);
    const timers = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    console.log(JSON.stringify({ applied, timers }));`;
  const run = spawnSync(process.execPath, ["--input-type=module", "--eval", script, database.url], {
    encoding: "utf8",
    cwd: fileURLToPath(new URL("..", import.meta.url)),
  });
  expect(run).toMatchObject({ status: 0, stdout: '{"applied":[],"timers":0}\n' });
});

test("a database that is down is an error that says so", async () => {
  await expect(migrate("postgresql://nobody:nothing@127.0.0.1:1/none")).rejects.toThrow(/Can't reach database server/);
});

test("the constraints refuse rows that would break a promise, each by its name", async () => {
  const db = openDatabase(database.url);
  await seed(db, { now: new Date("2031-01-01T00:10:00Z") });
  const sale = await db.sale.findFirstOrThrow();
  await db.user.create({ data: { id: "u_1", name: "Ada" } });
  const order = {
    id: "o_1",
    reservationId: `${sale.id}.r`,
    saleId: sale.id,
    userId: "u_1",
    productId: sale.productId,
    title: sale.title,
    quantity: 1,
    amountCents: 100,
    version: 1,
    payBefore: new Date(),
    reservedAt: new Date(),
  };
  await db.order.create({ data: order });
  const payment = { id: "p_1", orderId: "o_1", reservationId: order.reservationId, saleId: sale.id, amountCents: 100 };
  const { id: _id, ...saleRow } = sale;
  const refused: [Promise<unknown>, RegExp][] = [
    [db.sale.create({ data: { ...saleRow, id: "s_1", stock: 0 } }), /sales_stock_is_positive/],
    [db.sale.create({ data: { ...saleRow, id: "s_1", endsAt: sale.startsAt } }), /sales_start_before_they_end/],
    [db.sale.create({ data: { ...saleRow, id: "s.1" } }), /sales_id_fits_a_purchase_id/],
    [db.order.create({ data: { ...order, id: "o_2" } }), /reservation_id/],
    [
      db.order.create({ data: { ...order, id: "o_2", reservationId: "r", quantity: 0 } }),
      /orders_quantity_is_positive/,
    ],
    [db.order.update({ where: { id: "o_1" }, data: { state: "paid", version: 2 } }), /orders_end_once/],
    [db.order.update({ where: { id: "o_1" }, data: { version: 2 } }), /orders_wait_only_in_version_one/],
    [db.payment.create({ data: { ...payment, state: "authorised" } }), /payments_held_money_has_an_authorisation/],
    [db.payment.create({ data: { ...payment, amountCents: -1 } }), /payments_amount_is_not_negative/],
    [db.payment.create({ data: { ...payment, settledAt: new Date() } }), /payments_settle_once/],
    [db.payment.create({ data: { ...payment, orderId: "o_9" } }), /payments_order_id_fkey/],
  ];
  for (const [attempt, reason] of refused) {
    await expect(
      attempt.catch((error: unknown) => Promise.reject(new Error(JSON.stringify(error) + error))),
    ).rejects.toThrow(reason);
  }
  await db.$disconnect();
});

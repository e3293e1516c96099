import {
  groups,
  lastReportKey,
  type ReconciliationReport,
  reconciliationJobs,
  type SaleStock,
  smsJobs,
  stockCommands,
  stockKeys,
} from "@plateau/domain";
import { startTestPostgres, type TestPostgres } from "@plateau/prisma/testing/postgres";
import pino from "pino";
import type { Queue, Topic } from "queue-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { createHttpPaymentProvider, createHttpSmsProvider, startConsumers } from "../index.ts";
import { createEmbeddedJobs } from "../jobs/embedded/embedded-jobs.ts";
import { openOrderProjection } from "../order/order-projection.ts";
import { ConsumersBed, userOf, within } from "../testing/consumers-bed.ts";
import { SandboxProcess } from "../testing/sandbox-process.ts";
import { reconcile } from "./reconcile.ts";

let postgres: TestPostgres;
let sandbox: SandboxProcess;
let bed: ConsumersBed;
let queue: Queue;
const log = pino({ level: "silent" });
beforeAll(async () => {
  [postgres, sandbox] = await Promise.all([startTestPostgres(), SandboxProcess.start()]);
});
afterAll(() => Promise.all([postgres.stop(), sandbox.stop()]));
beforeEach(async () => {
  bed = await ConsumersBed.open(postgres);
  queue = await bed.process();
  await Promise.all([sandbox.order("sms"), sandbox.order("payments")]);
});
afterEach(() => bed.close());

const startAll = (process = queue) =>
  startConsumers({
    queue: process,
    db: bed.db,
    payments: createHttpPaymentProvider({ url: sandbox.url }),
    sms: createHttpSmsProvider({ url: sandbox.url }),
    log,
    // Its own schedule stays away: the tests ask for each.
    reconciliation: { everyMs: 100_000, graceMs: 90_000 },
  });

async function look(graceMs = 0): Promise<ReconciliationReport> {
  const jobs = createEmbeddedJobs({ queue });
  const projection = await openOrderProjection({ queue, db: bed.db });
  const report = await reconcile({ queue, db: bed.db, jobs, projection, log, graceMs });
  await projection.stop();
  return report;
}
/** Kind, subject and repair of what it found. */
const found = ({ differences }: ReconciliationReport) =>
  differences.map(({ kind, subject, repair }) => `${kind} ${subject} ${repair}`).sort();

/** Ann has paid, bob has cancelled, cem has yet to pay; everybody has heard of it. */
async function openShop(): Promise<void> {
  await startAll();
  await bed.startStock(queue);
  for (const name of ["ann", "bob", "cem"]) await bed.buy(queue, name);
  await vi.waitFor(async () => expect(await bed.db.order.count()).toBe(3), within);
  await bed.askToPay(queue, "ann");
  const bob = { saleId: bed.saleId, reservationId: bed.reservationOf("bob"), userId: userOf("bob") };
  await queue.publish(stockCommands, { type: "cancel", ...bob });
  await vi.waitFor(async () => expect((await look()).verdict).toBe("agree"), within);
}

const states = async () =>
  Object.fromEntries((await bed.db.order.findMany()).map((row) => [row.id, `${row.state}/${row.version}`]));
const stock = () =>
  queue.state(groups.stock, stockCommands as Topic<unknown>).get<SaleStock>(bed.saleId, stockKeys.sale(bed.saleId));

test("what agrees is said to agree, and the last report can be read by others", async () => {
  await openShop();
  const report = await look();
  const kept = queue.state(groups.reconciliation, reconciliationJobs as Topic<unknown>);
  expect(await kept.get("", lastReportKey)).toEqual(report);
  expect(report).toMatchObject({ verdict: "agree", found: 0, unlooked: [], sales: { compared: 1, changing: 0 } });
  expect(await states()).toEqual({
    [bed.orderOf("ann")]: "paid/2",
    [bed.orderOf("bob")]: "cancelled/2",
    [bed.orderOf("cem")]: "awaiting_payment/1",
  });
});

test("a sale that changed within the grace is left for later", async () => {
  await openShop();
  expect(await look(600_000)).toMatchObject({ verdict: "agree", sales: { compared: 0, changing: 1 } });
});

test("orders that are missing or behind are made by the same projection, and stock is not touched", async () => {
  await openShop();
  const [before, rows] = [await stock(), await states()];
  await bed.db.order.delete({ where: { id: bed.orderOf("bob") } });
  await bed.db.order.delete({ where: { id: bed.orderOf("cem") } });
  await bed.db.order.update({
    where: { id: bed.orderOf("ann") },
    data: { state: "awaiting_payment", version: 1, endedAt: null },
  });
  const report = await look();
  expect(report.verdict).toBe("differ");
  expect(found(report).filter((line) => line.startsWith("order"))).toEqual([
    `order-behind ${bed.reservationOf("ann")} made`,
    `order-missing ${bed.reservationOf("bob")} made`,
    `order-missing ${bed.reservationOf("cem")} made`,
  ]);
  expect(await states()).toEqual(rows);
  expect(await stock()).toEqual(before);
  await vi.waitFor(async () => expect((await look()).verdict).toBe("agree"), within);
});

test("a payment that should have been captured, and one that should have been let go, get their jobs", async () => {
  await openShop();
  const [sold] = await bed.db.payment.findMany();
  const id = sold?.id ?? "";
  await bed.db.payment.update({ where: { id }, data: { state: "authorised", settledAt: null } });
  const held = await createHttpPaymentProvider({ url: sandbox.url }).authorise(
    {
      idempotencyKey: "p_late",
      reference: `${bed.reservationOf("bob")}:p_late`,
      amountCents: 1_900,
      outcome: "succeed",
    },
    AbortSignal.timeout(5_000),
  );
  await bed.db.payment.create({
    data: {
      id: "p_late",
      orderId: bed.orderOf("bob"),
      reservationId: bed.reservationOf("bob"),
      saleId: bed.saleId,
      amountCents: 1_900,
      state: "authorised",
      authorisationId: held.status === "authorised" ? held.authorisationId : null,
      createdAt: new Date(queue.now() - 1_000),
    },
  });
  // The id of the first job is still known, as it would not be some minutes later.
  await bed.forgetJobIds(queue);
  expect(found(await look())).toEqual([`capture-missing ${id}:sold asked`, "void-missing p_late:pay-refused asked"]);
  await vi.waitFor(async () => {
    const rows = await bed.db.payment.findMany({ orderBy: { createdAt: "asc" } });
    expect(Object.fromEntries(rows.map((row) => [row.id, row.state]))).toEqual({ [id]: "captured", p_late: "voided" });
  }, within);
  const moved = await sandbox.authorisations(`${bed.saleId}.`);
  expect(moved.map(({ status }) => status).sort()).toEqual(["captured", "voided"]);
});

test("an SMS that is missing is sent with the text that its event would have given, and nobody gets it twice", async () => {
  await openShop();
  const before = await bed.db.smsMessage.findMany({ orderBy: { id: "asc" } });
  await bed.db.smsMessage.deleteMany();
  await bed.forgetJobIds(queue);
  expect((await look()).found).toBe(5);
  await vi.waitFor(async () => expect(await bed.db.smsMessage.count()).toBe(5), within);
  const after = await bed.db.smsMessage.findMany({ orderBy: { id: "asc" } });
  const told = ({ id, text, providerId }: (typeof before)[number]) => ({ id, text, providerId });
  expect(after.map(told)).toEqual(before.map(told));
});

test("a job that failed for good is named with its reason, and not asked for again", async () => {
  await openShop();
  await bed.db.smsMessage.delete({ where: { id: `${bed.orderOf("cem")}:created` } });
  // The provider knows the key with another text, so it refuses.
  await bed.db.order.update({ where: { id: bed.orderOf("cem") }, data: { title: "Another thing" } });
  await bed.forgetJobIds(queue);
  const subject = `${bed.orderOf("cem")}:created`;
  expect(found(await look())).toEqual([`sms-missing ${subject} asked`]);
  await vi.waitFor(async () => expect(await queue.deadLetters(groups.sms, smsJobs, 2)).toHaveLength(1), within);
  await bed.forgetJobIds(queue);
  const report = await look();
  expect(found(report)).toEqual([`sms-missing ${subject} failed`]);
  expect(report.differences[0]?.detail).toContain("422");
  expect(await queue.deadLetters(groups.sms, smsJobs, 2)).toHaveLength(1);
});

test("wrong counts, and an order that nobody reserved, are named and left to a person", async () => {
  await openShop();
  await bed.db.statisticsWindow.updateMany({ where: { metric: "won" }, data: { value: 7 } });
  expect(found(await look())).toEqual([`statistics-differ ${bed.saleId} none`]);
  const {
    id: _,
    reservationId: __,
    ...row
  } = await bed.db.order.findUniqueOrThrow({
    where: { id: bed.orderOf("cem") },
  });
  await bed.db.order.create({ data: { ...row, id: "o_nobody", reservationId: `${bed.saleId}.nobody` } });
  const report = await look();
  expect(found(report)).toContain(`units-differ ${bed.saleId} none`);
  expect(await bed.db.order.count()).toBe(4);
});

test("nothing is concluded about what a group does that is still behind", async () => {
  await bed.startStock(queue);
  await bed.buy(queue, "ann");
  await bed.drained(queue, "stock");
  const consumers = await startAll();
  await bed.drained(queue, "order", "sms");
  await consumers.stop();
  await bed.buy(queue, "bob");
  await bed.drained(queue, "stock");
  await vi.waitFor(async () => {
    const report = await look();
    expect(report).toMatchObject({ verdict: "unknown", found: 0 });
    expect(report.unlooked.map(({ what }) => what)).toEqual(expect.arrayContaining(["order", "payment", "stats"]));
  }, within);
});

test("with the database down the report is `unknown` and says why; with it back the next one is whole", async () => {
  await openShop();
  await bed.databaseDown();
  const report = await look();
  expect(report).toMatchObject({ verdict: "unknown", found: 0 });
  expect(report.unlooked).toHaveLength(1);
  await bed.databaseBack();
  await vi.waitFor(async () => expect((await look()).verdict).toBe("agree"), within);
});

import { groups, paymentJobs, smsJobs } from "@plateau/domain";
import { startTestPostgres, type TestPostgres } from "@plateau/prisma/testing/postgres";
import pino from "pino";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createHttpPaymentProvider, createHttpSmsProvider, startConsumers } from "./index.ts";
import { ConsumersBed, within } from "./testing/consumers-bed.ts";
import { SandboxProcess } from "./testing/sandbox-process.ts";

let postgres: TestPostgres;
let sandbox: SandboxProcess;
beforeAll(async () => {
  [postgres, sandbox] = await Promise.all([startTestPostgres(), SandboxProcess.start()]);
});
afterAll(() => Promise.all([postgres.stop(), sandbox.stop()]));

test("with SMS and payment providers down, orders and statistics go on; when they are back, everything follows", async () => {
  const bed = await ConsumersBed.open(postgres);
  try {
    const queue = await bed.process();
    const consumers = await startConsumers({
      queue,
      db: bed.db,
      payments: createHttpPaymentProvider({ url: sandbox.url }),
      sms: createHttpSmsProvider({ url: sandbox.url }),
      log: pino({ level: "silent" }),
    });
    await bed.startStock(queue);
    await sandbox.order("sms", { failEvery: 1 });
    await sandbox.order("payments", { failEvery: 1 });
    const names = Array.from({ length: 12 }, (_, n) => `shopper${n}`);
    for (const name of names) await bed.buy(queue, name);
    await bed.drained(queue, "order");
    expect(await bed.db.order.count()).toBe(12);
    for (const name of names) await bed.askToPay(queue, name);
    await vi.waitFor(async () => {
      const [won] = await bed.db.statisticsWindow.findMany({ where: { saleId: bed.saleId, metric: "won" } });
      expect(Number(won?.value)).toBe(12);
    }, within);
    expect(await bed.db.smsMessage.count()).toBe(0);

    await sandbox.order("sms");
    await sandbox.order("payments");
    const paid = () => bed.db.order.count({ where: { state: "paid" } });
    await vi.waitFor(async () => expect(await paid()).toBe(12), within);
    await vi.waitFor(async () => expect(await bed.db.smsMessage.count()).toBe(24), within);
    const sold = () => bed.db.statisticsWindow.findMany({ where: { saleId: bed.saleId, metric: "sold-units" } });
    await vi.waitFor(async () => {
      expect((await sold()).reduce((sum, row) => sum + Number(row.value), 0)).toBe(12);
    }, within);
    expect(await queue.deadLetters(groups.sms, smsJobs, 1)).toEqual([]);
    expect(await queue.deadLetters(groups.payment, paymentJobs, 1)).toEqual([]);
    await consumers.stop();
  } finally {
    await bed.close();
  }
});

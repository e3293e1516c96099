import { type OrderEvent, orderIdOf, orders } from "@plateau/domain";
import { startTestPostgres, type TestPostgres } from "@plateau/prisma/testing/postgres";
import pino from "pino";
import type { Queue } from "queue-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { createEmbeddedJobs } from "../jobs/embedded/embedded-jobs.ts";
import { smsJobKind } from "../jobs/job-kinds.ts";
import { ConsumersBed, forever, userOf, within } from "../testing/consumers-bed.ts";
import { SandboxProcess } from "../testing/sandbox-process.ts";
import { createHttpSmsProvider } from "./http-sms-provider.ts";
import { startSmsConsumer } from "./sms.ts";
import type { SmsProvider } from "./sms-provider.ts";
import { smsTextOf } from "./sms-text.ts";

let postgres: TestPostgres;
let sandbox: SandboxProcess;
let bed: ConsumersBed;
let queue: Queue;
beforeAll(async () => {
  [postgres, sandbox] = await Promise.all([startTestPostgres(), SandboxProcess.start()]);
});
afterAll(() => Promise.all([postgres.stop(), sandbox.stop()]));
beforeEach(async () => {
  bed = await ConsumersBed.open(postgres);
  queue = await bed.process();
  await sandbox.order("sms");
});
afterEach(() => bed.close());

function start(process = queue, sms: SmsProvider = createHttpSmsProvider({ url: sandbox.url })) {
  const log = pino({ level: "silent" });
  return Promise.all(
    startSmsConsumer({ queue: process, jobs: createEmbeddedJobs({ queue: process }), db: bed.db, sms, log }),
  );
}

function eventOf(name: string, type: OrderEvent["type"] = "created"): OrderEvent {
  const reservationId = bed.reservationOf(name);
  return {
    type,
    orderId: orderIdOf(reservationId),
    reservationId,
    saleId: bed.saleId,
    userId: userOf(name),
    title: "Thermos",
    quantity: 2,
    amountCents: 3_800,
    ...(type === "created" ? { payBeforeMs: Date.UTC(2031, 4, 4, 14, 32) } : {}),
    version: type === "created" ? 1 : 2,
    atMs: 0,
  };
}

const sentTo = async (name: string) => (await sandbox.messages(`${bed.orderOf(name)}:`)).map((message) => message.key);
const rows = async () => (await bed.db.smsMessage.findMany({ orderBy: { id: "asc" } })).map((row) => row.id);

test("each event of an order is one message and one row, however often it is told", async () => {
  await start();
  const events = [eventOf("ann"), eventOf("ann"), eventOf("ann", "paid"), eventOf("ann"), eventOf("bob")];
  for (const event of events) await queue.publish(orders, event);
  await bed.drained(queue, "sms");
  for (const event of events) await queue.publish(orders, event);
  await bed.drained(queue, "sms");
  const [ann, bob] = [bed.orderOf("ann"), bed.orderOf("bob")];
  expect(await rows()).toEqual([`${ann}:created`, `${ann}:paid`, `${bob}:created`].sort());
  expect((await sentTo("ann")).sort()).toEqual([`${ann}:created`, `${ann}:paid`]);
  expect(await sentTo("bob")).toEqual([`${bob}:created`]);
});

test("killed between sending and writing, the next member writes the row and nobody gets a second message", async () => {
  let reached: () => void;
  const sent = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const real = createHttpSmsProvider({ url: sandbox.url });
  const dying: SmsProvider = {
    send: async (message, signal) => {
      await real.send(message, signal);
      reached();
      return forever;
    },
  };
  const running = await start(await bed.process(), dying);
  await queue.publish(orders, eventOf("ann"));
  await sent;
  for (const one of running) one.kill();
  expect(await rows()).toEqual([]);
  await start();
  await bed.drained(queue, "sms");
  expect(await rows()).toEqual([`${bed.orderOf("ann")}:created`]);
  expect(await sentTo("ann")).toHaveLength(1);
});

test("a provider that throttles, fails or loses answers gets each message once in the end", async () => {
  await sandbox.order("sms", { failEvery: 5, loseEvery: 3, ratePerSecond: 60 });
  await start();
  const names = Array.from({ length: 12 }, (_, n) => `shopper${n}`);
  await Promise.all(names.map((name) => queue.publish(orders, eventOf(name))));
  await vi.waitFor(async () => expect(await rows()).toHaveLength(12), { ...within, timeout: 50_000 });
  expect(await createEmbeddedJobs({ queue }).counts(smsJobKind)).toMatchObject({ delayed: 0, failed: 0 });
  for (const name of names) expect(await sentTo(name)).toHaveLength(1);
}, 60_000);

test("after a refusal for the rate, what was sent is kept and no other job begins", async () => {
  const sends: string[] = [];
  const throttling: SmsProvider = createHttpSmsProvider({ url: sandbox.url });
  const counting: SmsProvider = {
    send: (message, signal) => {
      sends.push(message.idempotencyKey);
      return throttling.send(message, signal);
    },
  };
  await sandbox.order("sms", { ratePerSecond: 0.01 });
  await start(queue, counting);
  await Promise.all(Array.from({ length: 40 }, (_, n) => queue.publish(orders, eventOf(`many${n}`))));
  await vi.waitFor(async () => expect(await rows()).toHaveLength(1), within);
  expect(sends.length).toBeLessThan(40);
});

test("the texts say what happened, what was charged and what can be done", () => {
  expect(smsTextOf(eventOf("ann"))).toBe(
    "Plateau: 2 × Thermos is reserved for you until 14:32 UTC. Pay 38.00 € under Orders to keep it.",
  );
  expect(smsTextOf({ ...eventOf("ann", "paid"), quantity: 1 })).toBe(
    "Plateau: 38.00 € received, Thermos is yours. We pack it today.",
  );
  expect(smsTextOf(eventOf("ann", "payment_expired"))).toContain("Nothing was charged");
  expect(smsTextOf(eventOf("ann", "cancelled"))).toContain("Nothing was charged");
});

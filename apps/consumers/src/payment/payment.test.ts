import { groups, paymentJobs, paymentRequests, reservations, stockCommands } from "@plateau/domain";
import { startTestPostgres, type TestPostgres } from "@plateau/prisma/testing/postgres";
import pino from "pino";
import type { Queue } from "queue-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { createEmbeddedJobs } from "../jobs/embedded/embedded-jobs.ts";
import { startOrderConsumer } from "../order/order.ts";
import { ConsumersBed, forever, userOf, within } from "../testing/consumers-bed.ts";
import { SandboxProcess } from "../testing/sandbox-process.ts";
import { startAuthorising } from "./authorise.ts";
import { createHttpPaymentProvider } from "./http-payment-provider.ts";
import type { PaymentProvider } from "./payment-provider.ts";
import { startSettling } from "./settle.ts";

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
  await sandbox.order("payments");
});
afterEach(() => bed.close());

const provider = (): PaymentProvider => createHttpPaymentProvider({ url: sandbox.url });

async function startPayments(process = queue, payments = provider()) {
  const jobs = createEmbeddedJobs({ queue: process });
  const options = { queue: process, jobs, db: bed.db, payments, log: pino({ level: "silent" }) };
  return [await startAuthorising(options), ...(await Promise.all(startSettling(options)))] as const;
}

/** Order consumer, stock stage, and reservations that await payment. */
async function openShop(...names: readonly string[]): Promise<void> {
  await startOrderConsumer({ queue, db: bed.db });
  await bed.startStock(queue);
  for (const name of names) await bed.buy(queue, name);
  await vi.waitFor(async () => expect(await bed.db.order.count()).toBe(names.length), within);
}

const paymentOf = (id: string) => bed.db.payment.findUnique({ where: { id } });
const stateOf = async (id: string): Promise<string | undefined> => (await paymentOf(id))?.state;
const orderState = async (name: string) => (await bed.db.order.findUnique({ where: { id: bed.orderOf(name) } }))?.state;
const held = async (name: string) =>
  (await sandbox.authorisations(`${bed.reservationOf(name)}:`)).map((one) => one.status);

test("a payment is authorised, the reservation sold, the money captured, the order paid", async () => {
  await startPayments();
  await openShop("ann");
  const id = await bed.askToPay(queue, "ann");
  await vi.waitFor(
    async () => expect([await stateOf(id), await orderState("ann")]).toEqual(["captured", "paid"]),
    within,
  );
  expect(await held("ann")).toEqual(["captured"]);
});

test("a declined payment tells why and leaves the reservation; another one then buys it", async () => {
  await startPayments();
  await openShop("ann");
  const declined = await bed.askToPay(queue, "ann", "decline", "-1");
  await vi.waitFor(async () => expect(await stateOf(declined)).toBe("declined"), within);
  expect((await paymentOf(declined))?.problem).toContain("declined");
  expect(await orderState("ann")).toBe("awaiting_payment");
  const second = await bed.askToPay(queue, "ann", "succeed", "-2");
  await vi.waitFor(async () => expect(await stateOf(second)).toBe("captured"), within);
  expect(await held("ann")).toEqual(["captured"]);
});

test("while the provider is down payments wait without spending attempts, and then all go through", async () => {
  await sandbox.order("payments", { failEvery: 1 });
  const members = await startPayments();
  await openShop("ann", "bob", "cem");
  const ids = await Promise.all(["ann", "bob", "cem"].map((name) => bed.askToPay(queue, name)));
  await vi.waitFor(async () => {
    expect(await Promise.all(ids.map(stateOf))).toEqual(["requested", "requested", "requested"]);
    expect(members[0]?.statistics().batches).toBeGreaterThanOrEqual(2);
  }, within);
  await sandbox.order("payments");
  await vi.waitFor(
    async () => expect(new Set(await Promise.all(ids.map(stateOf)))).toEqual(new Set(["captured"])),
    within,
  );
  expect([members[0], members[1]].map((member) => member.statistics().retried)).toEqual([0, 0]);
});

test("answers lost on the way, authorisations and captures alike, hold and move the money once", async () => {
  await sandbox.order("payments", { loseEvery: 2 });
  await startPayments();
  const names = ["ann", "bob", "cem", "dan"];
  await openShop(...names);
  const ids = await Promise.all(names.map((name) => bed.askToPay(queue, name)));
  await vi.waitFor(
    async () => expect(new Set(await Promise.all(ids.map(stateOf)))).toEqual(new Set(["captured"])),
    within,
  );
  expect(await Promise.all(names.map(held))).toEqual(names.map(() => ["captured"]));
});

test.each([
  ["the provider held the money", "authorise"],
  ["the provider moved the money", "capture"],
] as const)("killed right after %s, the next member finishes the payment once", async (_name, call) => {
  let reached: () => void;
  const done = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const real = provider();
  const dying: PaymentProvider = {
    ...real,
    [call]: async (...args: readonly unknown[]) => {
      await Reflect.apply(real[call], real, args);
      reached();
      return forever;
    },
  };
  const members = await startPayments(await bed.process(), dying);
  await openShop("ann");
  const id = await bed.askToPay(queue, "ann");
  await done;
  for (const member of members) member.kill();
  await startPayments();
  await vi.waitFor(async () => expect(await stateOf(id)).toBe("captured"), within);
  expect(await held("ann")).toEqual(["captured"]);
});

test("killed after the authorisation was written and before `pay` was sent, the next member sends it", async () => {
  let reached: () => void;
  const atPublish = new Promise<void>((resolve) => {
    reached = resolve;
  });
  await openShop("ann");
  const members = await startPayments(await bed.process());
  bed.onCommit = (commit) => {
    if (commit.fence !== undefined || !commit.append?.some((append) => append.topic === stockCommands.name)) return;
    reached();
    return forever;
  };
  const id = await bed.askToPay(queue, "ann");
  await atPublish;
  expect(await stateOf(id)).toBe("authorised");
  for (const member of members) member.kill();
  bed.onCommit = undefined;
  await startPayments();
  await vi.waitFor(async () => expect(await stateOf(id)).toBe("captured"), within);
});

test("paying races releasing at each of its steps: sold and captured, or released and voided, never both", async () => {
  const names = Array.from({ length: 30 }, (_, n) => `racer${n}`);
  const cancelled = new Set<string>();
  const cancel = async (name: string): Promise<void> => {
    cancelled.add(name);
    const { saleId } = bed;
    const reservationId = bed.reservationOf(name);
    await queue.publish(stockCommands, { type: "cancel", saleId, reservationId, userId: userOf(name) });
  };
  const stepOf = (name: string) => (["before", "with-pay", "at-capture"] as const)[Number(name.slice(5)) % 3];
  const nameIn = (text: string): string =>
    names.find((name) => text.endsWith(`_${name}`) || text.endsWith(`.${name}`)) ?? "";
  const real = provider();
  await startPayments(queue, {
    ...real,
    authorise: async (payment, signal) => {
      const name = nameIn(payment.idempotencyKey);
      if (stepOf(name) === "before") await cancel(name);
      return real.authorise(payment, signal);
    },
    capture: async (id, signal) => {
      await Promise.all(names.filter((name) => stepOf(name) === "at-capture" && !cancelled.has(name)).map(cancel));
      return real.capture(id, signal);
    },
  });
  await openShop(...names);
  bed.onCommit = (commit) => {
    for (const append of commit.append ?? []) {
      const command = append.topic === stockCommands.name ? JSON.parse(append.value.toString()) : {};
      const name = nameIn(command.reservationId ?? "");
      if (command.type === "pay" && stepOf(name) === "with-pay" && !cancelled.has(name)) void cancel(name);
    }
  };
  const ids = await Promise.all(names.map((name) => bed.askToPay(queue, name)));
  const isSettled = (state: string | undefined): boolean => state === "captured" || state === "voided";
  await vi.waitFor(async () => expect((await Promise.all(ids.map(stateOf))).every(isSettled)).toBe(true), within);
  await bed.drained(queue, "stock", "order", "payment");
  const ends = new Set<string>();
  for (const [index, name] of names.entries()) {
    const isPaid = (await orderState(name)) === "paid";
    ends.add(`${isPaid}`);
    expect(await stateOf(ids[index] ?? "")).toBe(isPaid ? "captured" : "voided");
    expect(await held(name)).toEqual([isPaid ? "captured" : "voided"]);
  }
  expect(ends.size).toBe(2);
});

test("two payments for one order: one is captured, the other voided", async () => {
  await startPayments();
  await openShop("ann");
  const ids = await Promise.all(["-1", "-2"].map((suffix) => bed.askToPay(queue, "ann", "succeed", suffix)));
  await vi.waitFor(
    async () => expect((await Promise.all(ids.map(stateOf))).sort()).toEqual(["captured", "voided"]),
    within,
  );
  expect([...(await held("ann"))].sort()).toEqual(["captured", "voided"]);
});

test("settling events delivered again move no money again", async () => {
  await startPayments();
  await openShop("ann");
  const id = await bed.askToPay(queue, "ann");
  await vi.waitFor(async () => expect(await stateOf(id)).toBe("captured"), within);
  const before = await paymentOf(id);
  await queue.publish(reservations, bed.sold("ann", id));
  await queue.publish(paymentRequests, {
    paymentId: id as never,
    orderId: bed.orderOf("ann") as never,
    reservationId: bed.reservationOf("ann"),
    saleId: bed.saleId,
    userId: userOf("ann"),
    amountCents: 1_900,
    outcome: "succeed",
    requestedAtMs: 0,
  });
  await bed.drained(queue, "payment", "stock", "payment");
  expect(await paymentOf(id)).toEqual(before);
  expect(await held("ann")).toEqual(["captured"]);
});

test("a sold reservation whose payment row is lost is captured by its reference, and the row made again", async () => {
  await openShop("ann");
  const { authorisationId } = (await provider().authorise(
    { idempotencyKey: "lost", reference: `${bed.reservationOf("ann")}:p_lost`, amountCents: 1_900, outcome: "succeed" },
    AbortSignal.timeout(5_000),
  )) as { authorisationId: string };
  await startPayments();
  await queue.publish(reservations, bed.sold("ann", "p_lost"));
  await vi.waitFor(
    async () => expect(await paymentOf("p_lost")).toMatchObject({ state: "captured", authorisationId }),
    within,
  );
  expect(await held("ann")).toEqual(["captured"]);
});

test("a sold reservation for which nobody holds money is a job that failed for good, and the others go on", async () => {
  await startPayments();
  await openShop("ann");
  await queue.publish(reservations, bed.sold("ann", "p_nobody"));
  await vi.waitFor(async () => expect(await queue.deadLetters(groups.payment, paymentJobs, 5)).toHaveLength(1), within);
  await bed.drained(queue, "payment");
});

/**
 * The payment consumer as it runs, with its rows in PostgreSQL, and the stock stage's decisions, against a provider in
 * memory and a clock that only the test moves: when the reservation's own expiry comes due is drawn from a seed.
 */
import {
  allTopics,
  decideStock,
  groups,
  orderIdOf,
  type PaymentId,
  type PurchaseId,
  paymentJobs,
  paymentRequests,
  poisonStock,
  type ReservationId,
  reservations,
  type SaleId,
  type StockCommand,
  stockCommands,
  stockEntriesOf,
  type UserId,
} from "@plateau/domain";
import { type Database, openDatabase } from "@plateau/prisma";
import { startTestPostgres, type TestPostgres } from "@plateau/prisma/testing/postgres";
import { pino } from "pino";
import { createMemoryEngine, openQueue, type Queue, type Topic } from "queue-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createEmbeddedJobs } from "../jobs/embedded/embedded-jobs.ts";
import { ManualTime, turn } from "../testing/manual-time.ts";
import { PaperProvider } from "../testing/paper-provider.ts";
import { seeded } from "../testing/seeded.ts";
import { startAuthorising } from "./authorise.ts";
import { startSettling } from "./settle.ts";

const saleId = "s_race" as SaleId;
const userId = "u_ann" as UserId;
const paymentTimeoutMs = 1_000;
const interleavings = 200;
const first = Number(process.env.RACE_SEED ?? 1);
const count = process.env.RACE_SEED === undefined ? interleavings : 1;
const seeds = Array.from({ length: count }, (_, index) => first + index);
const reservationOf = (seed: number): ReservationId => `${saleId}.ann-${seed}` as ReservationId;

let postgres: TestPostgres;
let db: Database;

beforeAll(async () => {
  postgres = await startTestPostgres();
  db = openDatabase((await postgres.createDatabase()).url, { poolSize: 8 });
  const product = { id: "kettle", title: "Kettle", description: "", picture: "kettle", priceCents: 1_900, position: 1 };
  const terms = { title: "Kettle", priceCents: 1_900, stock: 10, perUserLimit: 2, paymentTimeoutMs };
  const times = { startsAt: new Date(0), endsAt: new Date(1) };
  await db.sale.create({ data: { id: saleId, product: { create: product }, ...terms, ...times } });
  await db.user.create({ data: { id: userId, name: "Ann" } });
  const order = { saleId, userId, productId: "kettle", title: "Kettle", quantity: 1, amountCents: 1_900, version: 1 };
  const ids = seeds.map(reservationOf).map((reservationId) => ({ id: orderIdOf(reservationId), reservationId }));
  await db.order.createMany({
    data: ids.map((id) => ({ ...order, ...id, payBefore: new Date(0), reservedAt: new Date(0) })),
  });
});
afterAll(async () => {
  await db.$disconnect();
  await postgres.stop();
});

class Race {
  readonly #seed: number;
  readonly #random: () => number;
  readonly #time = new ManualTime();
  readonly provider: PaperProvider;
  readonly payments = new Set<PaymentId>();
  queue!: Queue;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = seeded(seed);
    this.provider = new PaperProvider(this.#random);
  }

  async start(): Promise<void> {
    const { clock, timers } = this.#time;
    const engine = createMemoryEngine({ clock });
    this.queue = await openQueue({ engine, topics: allTopics, timers, random: this.#random });
    await this.queue.process<StockCommand>({
      group: groups.stock,
      topic: stockCommands,
      keys: stockEntriesOf,
      decide: decideStock,
      poison: (command, _error, state, context) => poisonStock(command, state, context),
    });
    const jobs = createEmbeddedJobs({ queue: this.queue, timers, random: this.#random });
    const consumer = { queue: this.queue, jobs, db, payments: this.provider, log: pino({ level: "silent" }) };
    await startAuthorising(consumer);
    await Promise.all(startSettling(consumer));
  }

  async reserve(): Promise<void> {
    const nowMs = this.queue.now();
    const terms = { productId: "kettle", title: "Kettle", priceCents: 1_900, stock: 10, perUserLimit: 2 };
    const times = { startsAtMs: nowMs - 1, endsAtMs: nowMs + 3_600_000, paymentTimeoutMs, decisionCostMs: 0 };
    await this.queue.publish(stockCommands, { type: "open-sale", saleId, terms: { saleId, ...terms, ...times } });
    await this.queue.publish(stockCommands, {
      type: "purchase",
      purchaseId: reservationOf(this.#seed) as string as PurchaseId,
      saleId,
      userId,
      quantity: 1,
      fingerprint: "q1",
      requestedAtMs: nowMs,
      decideByMs: nowMs + 30_000,
      risk: { verdict: "pass", scored: false },
    });
    await this.#time.untilTrue(async () => (await this.events()).length === 1);
  }

  /** One or two payments, one of them sometimes asked for twice; the expiry comes due at one of the steps of the first. */
  async run(): Promise<void> {
    const oneOf = <const T>(...choices: readonly T[]): T => choices[Math.floor(this.#random() * choices.length)] as T;
    const dueWhen = oneOf("asked-to-pay", "asking-provider", "held", "pay-sent", "pay-sent");
    const [reserved] = await this.events();
    if (reserved?.type !== "reserved") throw new Error("nothing was reserved");
    this.#time.advance(reserved.payBeforeMs - 5 - this.queue.now());
    for (const name of oneOf(["1"], ["1", "1"], ["1", "2"], ["2", "1", "1"])) await this.#askToPay(name);
    if (dueWhen !== "asked-to-pay") {
      await this.#time.untilStands(() => this.provider.asked > 0);
      if (dueWhen !== "asking-provider") this.provider.answer();
      if (dueWhen === "held") await this.#time.untilStands(() => this.provider.ledger.size > 0);
      if (dueWhen === "pay-sent")
        await this.#time.untilStands(async () => this.provider.lost > 0 || (await this.#paySent()));
    }
    for (let turns = Math.floor(this.#random() * 6); turns > 0; turns--) await turn();
    this.#time.advance(paymentTimeoutMs);
    this.provider.answer();
    await this.#time.untilTrue(() => this.#isOver());
  }

  events = async () => (await this.all(reservations)).filter((event) => event.saleId === saleId);

  async all<T>(topic: Topic<T>): Promise<readonly T[]> {
    const values: T[] = [];
    for (let partition = 0; partition < topic.partitions; partition++) {
      for (const { value } of await this.queue.browse(topic, partition, 0, 1_000)) values.push(value);
    }
    return values;
  }

  rows = () => db.payment.findMany({ where: { reservationId: reservationOf(this.#seed) } });

  async #askToPay(name: string): Promise<void> {
    const reservationId = reservationOf(this.#seed);
    const paymentId = `p_${this.#seed}_${name}` as PaymentId;
    this.payments.add(paymentId);
    await this.queue.publish(paymentRequests, {
      paymentId,
      orderId: orderIdOf(reservationId),
      reservationId,
      saleId,
      userId,
      amountCents: 1_900,
      outcome: "succeed",
      requestedAtMs: this.queue.now(),
    });
  }

  #paySent = async (): Promise<boolean> => (await this.all(stockCommands)).some(({ type }) => type === "pay");

  async #isOver(): Promise<boolean> {
    const rows = await this.rows();
    if (rows.length < this.payments.size || !rows.every(({ settledAt }) => settledAt !== null)) return false;
    for (const [group, topic] of [
      [groups.stock, stockCommands],
      [groups.payment, paymentRequests],
      [groups.payment, reservations],
      [groups.payment, paymentJobs],
    ] as const) {
      const partitions = await this.queue.groupStatistics(group, topic as Topic<unknown>);
      if (partitions.some(({ lagMessages }) => lagMessages > 0)) return false;
    }
    return (await this.all(stockCommands)).some(({ type }) => type === "expire");
  }
}

async function runSeed(seed: number): Promise<"sold" | "released"> {
  const race = new Race(seed);
  await race.start();
  try {
    await race.reserve();
    await race.run();
    const events = await race.events();
    const soldTo = events.flatMap((event) => (event.type === "sold" ? [event.paymentId] : []));
    const released = events.filter(({ type }) => type === "released");
    expect(soldTo.length + released.length, "the reservation ended exactly once").toBe(1);

    const { ledger } = race.provider;
    expect(new Set(ledger.keys()), "money was held once for each payment").toEqual(race.payments);
    for (const [paymentId, { moves }] of ledger) {
      expect(moves, paymentId).toEqual([soldTo.includes(paymentId as PaymentId) ? "captured" : "voided"]);
    }
    expect(race.provider.conflicts, "nothing was asked to be settled both ways").toBe(0);
    for (const { id, state } of await race.rows()) expect([state], id).toEqual(ledger.get(id)?.moves);
    for (const topic of [paymentRequests, reservations, paymentJobs] as const) {
      expect(await race.queue.deadLetters(groups.payment, topic as Topic<unknown>, 10)).toEqual([]);
    }
    return soldTo.length === 1 ? "sold" : "released";
  } finally {
    await race.queue.stop();
  }
}

test("a payment that races its reservation's expiry: sold and captured once, or released and voided, 200 times", async () => {
  const ends = { sold: 0, released: 0 };
  for (const seed of seeds) {
    try {
      ends[await runSeed(seed)]++;
    } catch (error) {
      throw new Error(`interleaving with RACE_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  if (count === 1) return;
  expect(Math.min(ends.sold, ends.released), "the race is a race: either side wins often").toBeGreaterThan(30);
}, 120_000);

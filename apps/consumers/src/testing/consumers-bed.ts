/**
 * Consumers over the real queue on the memory engine and a real PostgreSQL, with processes that die.
 *
 * Each "process" is a queue of its own over the one engine. Killing it stops its members as a killed process would:
 * leases run out, nothing is given back; its database statements and commits under way may still arrive.
 */
import {
  allTopics,
  decideStock,
  groups,
  orderIdOf,
  orders,
  type PurchaseId,
  paymentJobs,
  paymentRequests,
  poisonStock,
  type ReservationEvent,
  type ReservationId,
  reservations,
  type SaleId,
  type StockCommand,
  smsJobs,
  stockCommands,
  stockEntriesOf,
  type UserId,
} from "@plateau/domain";
import { type Database, openDatabase } from "@plateau/prisma";
import type { TestDatabase, TestPostgres } from "@plateau/prisma/testing/postgres";
import {
  type Commit,
  createMemoryEngine,
  type Engine,
  openQueue,
  type Queue,
  stateNamespace,
  type Topic,
} from "queue-core";
import { vi } from "vitest";

export const leaseMs = 400;
export const within = { timeout: 20_000, interval: 20 };

let beds = 0;

export class ConsumersBed {
  readonly #engine = createMemoryEngine();
  readonly #processes: Queue[] = [];
  readonly #database: TestDatabase;
  readonly db: Database;
  readonly saleId: SaleId;
  /** Runs before each commit reaches the engine; may throw, or never resolve. */
  onCommit: ((commit: Commit) => Promise<void> | void) | undefined;
  readonly reports: unknown[] = [];

  private constructor(database: TestDatabase, db: Database, saleId: SaleId) {
    this.#database = database;
    this.db = db;
    this.saleId = saleId;
  }

  static async open(postgres: TestPostgres): Promise<ConsumersBed> {
    const database = await postgres.createDatabase();
    const db = openDatabase(database.url, { poolSize: 12 });
    const saleId = `sale-${process.pid}-${++beds}` as SaleId;
    const bed = new ConsumersBed(database, db, saleId);
    const now = Date.now();
    const product = {
      id: "thermos",
      title: "Thermos",
      description: "",
      picture: "thermos",
      priceCents: 3_900,
      position: 1,
    };
    await db.sale.create({
      data: {
        id: saleId,
        product: { create: product },
        title: "Thermos",
        priceCents: 1_900,
        stock: 1_000,
        perUserLimit: 1_000,
        startsAt: new Date(now - 60_000),
        endsAt: new Date(now + 3_600_000),
        paymentTimeoutMs: 600_000,
      },
    });
    return bed;
  }

  /** A process of its own: a queue over the shared engine. */
  async process(): Promise<Queue> {
    const queue = await openQueue({
      engine: this.#sharedEngine(),
      topics: allTopics,
      leaseMs,
      onBackgroundError: (_where, error) => this.reports.push(error),
    });
    this.#processes.push(queue);
    return queue;
  }

  databaseDown = (): Promise<void> => this.#database.goDown();
  databaseBack = (): Promise<void> => this.#database.comeBack();

  async addUsers(...names: readonly string[]): Promise<void> {
    await this.db.user.createMany({ data: names.map((name) => ({ id: userOf(name), name })), skipDuplicates: true });
  }

  reserved(name: string, more: Partial<Extract<ReservationEvent, { type: "reserved" }>> = {}): ReservationEvent {
    return { ...this.#event(name, 1), type: "reserved", payBeforeMs: Date.now() + 600_000, ...more };
  }

  sold(name: string, paymentId = `p_${this.saleId}_${name}`): Extract<ReservationEvent, { type: "sold" }> {
    return { ...this.#event(name, 2), type: "sold", paymentId: paymentId as never };
  }

  released(name: string, cause: "cancelled" | "payment_expired"): ReservationEvent {
    return { ...this.#event(name, 2), type: "released", cause };
  }

  reservationOf = (name: string): ReservationId => `${this.saleId}.${name}` as ReservationId;
  orderOf = (name: string): string => orderIdOf(this.reservationOf(name));

  /** Every message of a topic, partition by partition. */
  async all<T>(queue: Queue, topic: Topic<T>): Promise<readonly T[]> {
    const values: T[] = [];
    for (let partition = 0; partition < topic.partitions; partition++) {
      for (const message of await queue.browse(topic, partition, 0, 10_000)) values.push(message.value);
    }
    return values;
  }

  /** Waits until these groups have read everything. */
  async drained(queue: Queue, ...which: readonly (keyof typeof readBy)[]): Promise<void> {
    await vi.waitFor(async () => {
      for (const group of which) {
        for (const topic of readBy[group]) {
          const partitions = await queue.groupStatistics(group, topic as Topic<unknown>);
          const lag = partitions.reduce((sum, partition) => sum + partition.lagMessages, 0);
          if (lag > 0) throw new Error(`${group} lags ${lag} behind on ${topic.name}`);
        }
      }
    }, within);
  }

  /** As if so much time had passed that the job store knows none of its ids any more. */
  async forgetJobIds(queue: Queue): Promise<void> {
    for (const { name } of [smsJobs, paymentJobs]) {
      const namespace = stateNamespace("jobs", name, 0);
      const known = await queue.engine.scanState(namespace, { limit: 1_000 });
      await queue.engine.commit({ put: known.map(({ key }) => ({ namespace, key, value: null })) });
    }
  }

  /** The stock stage, as the worker runs it. */
  async startStock(queue: Queue): Promise<void> {
    await queue.process<StockCommand>({
      group: groups.stock,
      topic: stockCommands,
      keys: stockEntriesOf,
      decide: decideStock,
      poison: (command, _error, state, context) => poisonStock(command, state, context),
    });
    const sale = await this.db.sale.findUniqueOrThrow({ where: { id: this.saleId } });
    const { productId, title, priceCents, stock, perUserLimit, paymentTimeoutMs, decisionCostMs } = sale;
    const times = { startsAtMs: sale.startsAt.getTime(), endsAtMs: sale.endsAt.getTime() };
    const terms = { productId, title, priceCents, stock, perUserLimit, paymentTimeoutMs, decisionCostMs, ...times };
    await queue.publish(stockCommands, {
      type: "open-sale",
      saleId: this.saleId,
      terms: { saleId: this.saleId, ...terms },
    });
  }

  async buy(queue: Queue, name: string): Promise<void> {
    const requestedAtMs = queue.now();
    await queue.publish(stockCommands, {
      type: "purchase",
      purchaseId: this.reservationOf(name) as string as PurchaseId,
      saleId: this.saleId,
      userId: userOf(name),
      quantity: 1,
      fingerprint: "q1",
      requestedAtMs,
      decideByMs: requestedAtMs + 30_000,
      risk: { verdict: "pass", scored: false },
    });
  }

  async askToPay(queue: Queue, name: string, outcome: "succeed" | "decline" = "succeed", suffix = ""): Promise<string> {
    const paymentId = `p_${this.saleId}_${name}${suffix}`;
    await queue.publish(paymentRequests, {
      paymentId: paymentId as never,
      orderId: this.orderOf(name) as never,
      reservationId: this.reservationOf(name),
      saleId: this.saleId,
      userId: userOf(name),
      amountCents: 1_900,
      outcome,
      requestedAtMs: queue.now(),
    });
    return paymentId;
  }

  async close(): Promise<void> {
    this.onCommit = undefined;
    await Promise.all(this.#processes.map((queue) => queue.stop()));
    await this.#engine.close();
    // The database goes with its server at the end of the file; dropping each would cost a checkpoint.
    await this.db.$disconnect();
  }

  #event(name: string, version: number) {
    return {
      reservationId: this.reservationOf(name),
      purchaseId: this.reservationOf(name) as string as PurchaseId,
      saleId: this.saleId,
      userId: userOf(name),
      quantity: 1,
      unitPriceCents: 1_900,
      amountCents: 1_900,
      title: "Thermos",
      productId: "thermos",
      version,
      atMs: Date.now(),
      position: 0,
      stockAfter: { available: 0, reserved: 0, sold: 0 },
    };
  }

  /** Closed by the bed, and with every commit seen by `onCommit` first. */
  #sharedEngine(): Engine {
    return new Proxy(this.#engine, {
      get: (engine, name) => {
        if (name === "close") return async () => undefined;
        if (name === "commit") {
          return async (commit: Commit) => {
            await this.onCommit?.(commit);
            return engine.commit(commit);
          };
        }
        const member: unknown = Reflect.get(engine, name);
        return typeof member === "function" ? member.bind(engine) : member;
      },
    });
  }
}

export const userOf = (name: string): UserId => `u_${name}` as UserId;

/** A promise that never settles: where a process stood when it was killed. */
export const forever = new Promise<never>(() => undefined);

const readBy = {
  order: [reservations],
  payment: [paymentRequests, reservations, paymentJobs],
  sms: [orders, smsJobs],
  stock: [stockCommands],
} as const;

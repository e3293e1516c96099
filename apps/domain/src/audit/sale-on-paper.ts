/**
 * A sale run on paper, for tests of the audit: the real decisions of the stock stage over maps and arrays, and
 * around them the simplest gateway, consumers and providers that keep every promise. What it leaves behind is
 * evidence of a good history; tests then spoil single pieces of it.
 */
import { type Message, partitionOfKey, type StateReader, type Topic } from "queue-core";
import { orderIdOf, type PaymentId, type PurchaseId, type ReservationId, type SaleId, type UserId } from "../ids.ts";
import type { PurchaseResult, ReservationEvent, RiskVerdict, SaleStock, SaleTerms, StockCommand } from "../messages.ts";
import { decideStock } from "../stock/decide.ts";
import {
  admissions,
  orders,
  paymentRequests,
  purchaseRequests,
  reservations,
  results,
  stockCommands,
} from "../topics.ts";
import type { Evidence, LogEvidence, Looked, TopicOfLog } from "./evidence.ts";
import { smsIdOf } from "./queue-invariants.ts";
import { expectedStatistics } from "./statistics.ts";

/** Evidence that a test may spoil. */
export type Spoilable<T> = T extends string | number | boolean | undefined
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? Map<K, Spoilable<V>>
    : T extends readonly (infer E)[]
      ? Spoilable<E>[]
      : { -readonly [K in keyof T]: Spoilable<T[K]> };

const topicsOfLog = {
  requests: purchaseRequests,
  commands: stockCommands,
  results,
  reservations,
  orders,
  paymentRequests,
  admissions,
} as const;

export class SaleOnPaper {
  nowMs = 1_000_000;
  readonly saleId: SaleId;
  readonly #terms: SaleTerms;
  readonly #log = new Map<string, { partition: number; offset: number; value: unknown }[]>();
  readonly #state = new Map<string, unknown>();
  readonly #orders: Spoilable<Extract<Evidence["database"], { looked: true }>["found"]["orders"]> = [];
  readonly #payments: Spoilable<Extract<Evidence["database"], { looked: true }>["found"]["payments"]> = [];
  readonly #authorisations: Spoilable<Extract<Evidence["provider"], { looked: true }>["found"]["authorisations"]> = [];

  constructor(terms: { stock: number; perUserLimit: number; saleId?: string }) {
    this.saleId = (terms.saleId ?? "s_paper") as SaleId;
    this.#terms = {
      saleId: this.saleId,
      productId: "lamp",
      title: "Paper lamp",
      priceCents: 1_250,
      stock: terms.stock,
      perUserLimit: terms.perUserLimit,
      startsAtMs: this.nowMs,
      endsAtMs: this.nowMs + 600_000,
      paymentTimeoutMs: 60_000,
      decisionCostMs: 0,
    };
    this.#command({ type: "open-sale", saleId: this.saleId, terms: this.#terms });
  }

  /** A request that reaches the stock stage at once, or after `lateMs`. */
  purchase(user: string, options: { key?: string; quantity?: number; risk?: RiskVerdict; lateMs?: number } = {}) {
    const purchaseId = `${this.saleId}.${user}-${options.key ?? "k1"}` as PurchaseId;
    const request = {
      type: "purchase" as const,
      purchaseId,
      saleId: this.saleId,
      userId: user as UserId,
      quantity: options.quantity ?? 1,
      fingerprint: `q${options.quantity ?? 1}`,
      requestedAtMs: this.nowMs,
      decideByMs: this.nowMs + 30_000,
    };
    this.#publish(purchaseRequests, { ...request, address: "127.0.0.1" });
    this.nowMs += 1 + (options.lateMs ?? 0);
    this.#command({ ...request, risk: options.risk ?? { verdict: "pass", scored: true } });
    return purchaseId;
  }

  /** Asks what became of an id nobody ever heard of again. */
  resolve(user: string, key: string): PurchaseId {
    const purchaseId = `${this.saleId}.${user}-${key}` as PurchaseId;
    const resolve = { type: "resolve" as const, purchaseId, saleId: this.saleId, userId: user as UserId };
    this.#publish(purchaseRequests, resolve);
    this.#command(resolve);
    return purchaseId;
  }

  /** Authorise, ask the stock stage, then capture or void. */
  pay(purchaseId: PurchaseId, payment: string): void {
    const paymentId = payment as PaymentId;
    const reservationId = purchaseId as string as ReservationId;
    const saleId = this.saleId;
    const { userId } = this.#resultOf(purchaseId);
    const amountCents = this.#terms.priceCents;
    const orderId = orderIdOf(reservationId);
    const request = { paymentId, orderId, reservationId, saleId, userId, amountCents, outcome: "succeed" as const };
    this.#publish(paymentRequests, { ...request, requestedAtMs: this.nowMs });
    this.#command({ type: "pay", saleId, reservationId, paymentId });
    const state = this.#resultOf(purchaseId).reservation?.paymentId === paymentId ? "captured" : "voided";
    this.#payments.push({ id: payment, reservationId, saleId, amountCents, state });
    this.#authorisations.push({ id: `auth-${payment}`, paymentId, amountCents, status: state });
  }

  cancel(purchaseId: PurchaseId): void {
    const { userId } = this.#resultOf(purchaseId);
    this.#command({
      type: "cancel",
      saleId: this.saleId,
      reservationId: purchaseId as string as ReservationId,
      userId,
    });
  }

  expire(purchaseId: PurchaseId): void {
    this.nowMs += this.#terms.paymentTimeoutMs;
    const { userId } = this.#resultOf(purchaseId);
    const reservationId = purchaseId as string as ReservationId;
    this.#command({ type: "expire", saleId: this.saleId, reservationId, userId });
  }

  close(): void {
    this.#command({ type: "close-sale", saleId: this.saleId });
  }

  /** What a gateway says it saw; its sold-out hints name the position, returned, that the stock is as of now. */
  admit(arrivals: number, hinted: number): number {
    const { position } = this.#stock().asOf;
    this.#publish(admissions, {
      gatewayId: "g1",
      saleId: this.saleId,
      windowStartMs: this.nowMs - (this.nowMs % 1_000),
      arrivals,
      admitted: arrivals - hinted,
      refused: { "sold-out": hinted },
      hints: hinted === 0 ? [] : [{ position, count: hinted }],
    });
    return position;
  }

  evidence(): Spoilable<Evidence> {
    const log = Object.fromEntries(
      Object.entries(topicsOfLog).map(([name, topic]) => [name, this.#topicEvidence(topic)]),
    ) as Record<TopicOfLog, unknown> as LogEvidence;
    const countedTo = new Map(
      [...this.#log].flatMap(([topic, messages]) =>
        messages.map(({ partition, offset }) => [`${topic}/${partition}`, offset + 1] as const),
      ),
    );
    const sms = found(log.orders).messages.map(({ value }) => ({ orderId: value.orderId, event: value.type }));
    const { saleId } = this;
    const statistics = [...expectedStatistics(log, countedTo)].map(([key, value]) => {
      const [, metric = "", label = ""] = key.split(" ");
      return { saleId, metric, label, value };
    });
    const { stock, priceCents, perUserLimit } = this.#terms;
    const evidence: Evidence = {
      nowMs: this.nowMs,
      log,
      lag: [],
      state: { looked: true, found: this.#stateEvidence() },
      database: {
        looked: true,
        found: {
          sales: [{ id: saleId, stock, priceCents, perUserLimit }],
          orders: this.#orders,
          payments: this.#payments,
          sms: sms.map((text) => ({ ...text, id: smsIdOf(text.orderId, text.event), saleId })),
          statistics,
          countedTo,
        },
      },
      provider: {
        looked: true,
        found: {
          authorisations: this.#authorisations,
          sms: sms.map(({ orderId, event }, index) => ({ id: `sms-${index}`, key: smsIdOf(orderId, event) })),
        },
      },
    };
    return structuredClone(evidence) as Spoilable<Evidence>;
  }

  #publish<T>(topic: Topic<T>, value: T): { partition: number; offset: number } {
    const partition = partitionOfKey(topic.keyOf(value), topic.partitions);
    const messages = this.#log.get(topic.name) ?? [];
    this.#log.set(topic.name, messages);
    const offset = messages.filter((message) => message.partition === partition).length;
    messages.push({ partition, offset, value });
    return { partition, offset };
  }

  #command(value: StockCommand): void {
    const place = this.#publish(stockCommands, value);
    const message: Message<StockCommand> = {
      ...place,
      topic: stockCommands.name,
      timestampMs: this.nowMs,
      key: this.saleId,
      headers: {},
      value,
      attempt: 1,
    };
    const state: StateReader = { get: <V>(key: string) => this.#state.get(key) as V | undefined };
    const decision = decideStock(message, state, { nowMs: this.nowMs });
    for (const write of decision.writes ?? []) {
      if (write.value === null) this.#state.delete(write.key);
      else this.#state.set(write.key, write.value);
    }
    for (const emission of decision.emit ?? []) {
      if (emission.delayMs !== undefined) continue;
      const topic = emission.topic as Topic<unknown>;
      this.#publish(topic, emission.value);
      if (topic.name === reservations.name) this.#project(emission.value as ReservationEvent);
    }
  }

  /** What the order consumer does. */
  #project(event: ReservationEvent): void {
    if (event.type === "pay-refused") return;
    const { reservationId, saleId, userId, quantity, amountCents, title, version, atMs } = event;
    const orderId = orderIdOf(reservationId);
    const order = this.#orders.find(({ id }) => id === orderId);
    const state = event.type === "sold" ? "paid" : event.type === "released" ? event.cause : "awaiting_payment";
    if (order !== undefined) Object.assign(order, { state, version });
    else this.#orders.push({ id: orderId, reservationId, saleId, userId, quantity, amountCents, state, version });
    const type = state === "awaiting_payment" ? "created" : state;
    const payBeforeMs = atMs + this.#terms.paymentTimeoutMs;
    const base = { orderId, reservationId, saleId, userId, title, quantity, amountCents, payBeforeMs, version, atMs };
    this.#publish(orders, { ...base, type });
  }

  #topicEvidence(topic: { name: string; partitions: number }): LogEvidence[TopicOfLog] {
    const messages = (this.#log.get(topic.name) ?? []).map((message) => ({ ...message, settled: true }));
    const partitions = Array.from({ length: topic.partitions }, (_, partition) => {
      const read = messages.filter((message) => message.partition === partition).length;
      return { partition, start: 0, end: read, read };
    });
    return { looked: true, found: { messages, partitions } } as LogEvidence[TopicOfLog];
  }

  #stateEvidence() {
    const buyers = new Map<string, number>();
    const resultEntries = new Map<string, PurchaseResult>();
    for (const [key, value] of this.#state) {
      const [kind, ...rest] = key.split(":");
      if (kind === "buyer") buyers.set(rest.join(":"), (value as { units: number }).units);
      if (kind === "result") resultEntries.set(rest.join(":"), value as PurchaseResult);
    }
    return { sales: new Map([[this.saleId as string, this.#stock()]]), buyers, results: resultEntries };
  }

  #stock(): SaleStock {
    return this.#state.get(`sale:${this.saleId}`) as SaleStock;
  }

  #resultOf(purchaseId: PurchaseId): PurchaseResult {
    return this.#state.get(`result:${purchaseId}`) as PurchaseResult;
  }
}

/** What a source found; throws where it could not be read. */
export function found<T>(source: Looked<T> | Spoilable<Looked<T>>): T {
  if (!source.looked) throw new Error(`not looked: ${source.why}`);
  return source.found as T;
}

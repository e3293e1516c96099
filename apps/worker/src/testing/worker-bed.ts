/**
 * For tests: a queue on the memory engine whose time stands still until a test moves it, and the sale's messages.
 */
import {
  allTopics,
  groups,
  type PurchaseId,
  type PurchaseRequest,
  purchaseRequests,
  type RequestMessage,
  reservationIdOf,
  type SaleId,
  type SaleStock,
  type SaleTerms,
  type StockCommand,
  type StockReply,
  stockCommands,
  stockKeys,
  type UserId,
} from "@plateau/domain";
import {
  createMemoryEngine,
  type ManualClock,
  type Message,
  manualClock,
  openQueue,
  type Queue,
  type Requester,
  type Timers,
  type Topic,
} from "queue-core";

const hourMs = 3_600_000;

class ManualTimers implements Timers {
  readonly #clock: ManualClock;
  readonly #planned = new Set<{ readonly dueMs: number; readonly run: () => void }>();

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { dueMs: this.#clock.monotonicMs() + Math.max(0, ms), run };
    this.#planned.add(timer);
    return () => this.#planned.delete(timer);
  }

  fireDue(): void {
    const nowMs = this.#clock.monotonicMs();
    const due = [...this.#planned].filter((timer) => timer.dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs);
    for (const timer of due) if (this.#planned.delete(timer)) timer.run();
  }
}

export class WorkerBed {
  readonly queue: Queue;
  /** What queue-core's background loops reported. */
  readonly faults: unknown[];
  readonly #clock: ManualClock;
  readonly #timers: ManualTimers;
  readonly #askers: Requester[] = [];

  private constructor(queue: Queue, faults: unknown[], clock: ManualClock, timers: ManualTimers) {
    this.queue = queue;
    this.faults = faults;
    this.#clock = clock;
    this.#timers = timers;
  }

  static async open(random: () => number = Math.random): Promise<WorkerBed> {
    const clock = manualClock();
    const timers = new ManualTimers(clock);
    const faults: unknown[] = [];
    const engine = createMemoryEngine({ clock });
    const onBackgroundError = (where: string, error: unknown) => faults.push({ where, error });
    const queue = await openQueue({ engine, topics: allTopics, timers, random, onBackgroundError });
    return new WorkerBed(queue, faults, clock, timers);
  }

  async close(): Promise<void> {
    await this.queue.stop();
  }

  /** Moves time on and fires what is due; what follows from it runs when the event loop turns. */
  advance(ms: number): void {
    this.#clock.advance(ms);
    this.#timers.fireDue();
  }

  /** Lets the event loop turn, and time go on in steps of 10 ms where that is not enough, until it comes true. */
  async eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let passedMs = 0; !(await condition()); passedMs += 10) {
      if (passedMs > hourMs) throw new Error(`never came true: ${condition}`);
      for (let turns = 0; turns < 5; turns++) await turn();
      if (await condition()) return;
      this.advance(10);
    }
  }

  /** Publishes as a gateway does and waits for what comes back, without moving time. */
  async ask(
    value: RequestMessage | Exclude<StockCommand, RequestMessage | { type: "purchase" }>,
    gateway = 0,
  ): Promise<StockReply> {
    this.#askers[gateway] ??= await this.queue.requester();
    const asker = this.#askers[gateway];
    const timeoutMs = hourMs;
    return value.type === "purchase" || value.type === "resolve"
      ? asker.send<RequestMessage, StockReply>(purchaseRequests, value, { timeoutMs }).reply
      : asker.send<StockCommand, StockReply>(stockCommands, value, { timeoutMs }).reply;
  }

  async openSale(part: Partial<SaleTerms> = {}): Promise<void> {
    await this.ask({ type: "open-sale", saleId, terms: { ...this.terms(), ...part } });
  }

  terms(): SaleTerms {
    return {
      saleId,
      productId: "kettle",
      title: "Kettle",
      priceCents: 1_999,
      stock: 10,
      perUserLimit: 2,
      startsAtMs: this.queue.now() - 1,
      endsAtMs: this.queue.now() + hourMs,
      paymentTimeoutMs: 60_000,
      decisionCostMs: 0,
    };
  }

  request(name: string, part: Partial<PurchaseRequest> = {}): PurchaseRequest {
    return {
      type: "purchase",
      purchaseId: purchaseOf(name),
      saleId,
      userId: userOf(name),
      quantity: 1,
      fingerprint: "q1",
      address: "192.0.2.1",
      requestedAtMs: this.queue.now(),
      decideByMs: this.queue.now() + 30_000,
      ...part,
    };
  }

  async sale(): Promise<SaleStock | undefined> {
    return this.queue.state(groups.stock, stockCommands).get<SaleStock>(saleId, stockKeys.sale(saleId));
  }

  /** Everything ever published to a topic. */
  async all<T>(topic: Topic<T>): Promise<readonly Message<T>[]> {
    const messages: Message<T>[] = [];
    for (let partition = 0; partition < topic.partitions; partition++) {
      messages.push(...(await this.queue.browse(topic, partition, 0, 100_000)));
    }
    return messages;
  }
}

export const saleId = "s_1" as SaleId;
export const purchaseOf = (name: string): PurchaseId => `${saleId}.${name}` as PurchaseId;
export const reservationOf = (name: string) => reservationIdOf(purchaseOf(name));
export const userOf = (name: string): UserId => `u_${name}` as UserId;

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

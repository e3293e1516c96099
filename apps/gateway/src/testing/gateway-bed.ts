/**
 * For tests: a gateway on a real queue over the memory engine, the two deciding stages as the worker runs them, and a
 * database of its own. Everything is stopped by `stop`.
 */
import {
  allTopics,
  decideRisk,
  decideStock,
  delayByFaults,
  type FaultStore,
  groups,
  type KnobStore,
  openFaults,
  openKnobs,
  poisonRisk,
  poisonStock,
  purchaseRequests,
  type RequestMessage,
  type RiskScores,
  riskEntriesOf,
  type Sale,
  type StockCommand,
  stockCommands,
  stockEntriesOf,
} from "@plateau/domain";
import { type Database, openDatabase } from "@plateau/prisma";
import { startTestPostgres, type TestDatabase, type TestPostgres } from "@plateau/prisma/testing/postgres";
import { pino } from "pino";
import {
  createMemoryEngine,
  type Engine,
  type GroupMember,
  type ManualClock,
  manualClock,
  openQueue,
  type Queue,
  type Topic,
} from "queue-core";
import { afterAll, afterEach, beforeAll, vi } from "vitest";
import { type GatewayOptions, type RunningGateway, startGateway } from "../index.ts";
import { overriding } from "./faulty-queue.ts";

export const adminToken = "admin-token-of-the-tests";

let postgres: TestPostgres | undefined;

/** Call once per test file: one PostgreSQL for the file, and every bed that a test starts is stopped behind it. */
export function useBeds(): (options?: BedOptions) => Promise<GatewayBed> {
  const beds: GatewayBed[] = [];
  vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
  beforeAll(async () => {
    postgres = await startTestPostgres();
  });
  afterEach(async () => {
    await Promise.all(beds.splice(0).map((bed) => bed.stop()));
  });
  afterAll(() => postgres?.stop());
  return async (options) => {
    const bed = await GatewayBed.start(options);
    beds.push(bed);
    return bed;
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface Call {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface BedOptions extends Partial<Omit<GatewayOptions, "knobs" | "faults">> {
  /** False: nobody decides until `startStages`. */
  readonly stages?: boolean;
  /** Time stands still until the test moves it. */
  readonly standingClock?: boolean;
  /** Wraps the queue as the gateway sees it, to plant faults. */
  readonly wrapQueue?: (queue: Queue) => Queue;
}

export class GatewayBed {
  readonly queue: Queue;
  readonly db: Database;
  readonly testDatabase: TestDatabase;
  readonly knobs: KnobStore;
  readonly faults: FaultStore;
  readonly clock: ManualClock | undefined;
  readonly #options: BedOptions;
  readonly #gateways: RunningGateway[] = [];
  readonly #queues: Queue[] = [];
  #stopped: Promise<void> | undefined;
  #asked: RunningGateway | undefined;
  #members: GroupMember[] = [];

  private constructor(parts: {
    queue: Queue;
    db: Database;
    testDatabase: TestDatabase;
    clock: ManualClock | undefined;
    knobs: KnobStore;
    faults: FaultStore;
    options: BedOptions;
  }) {
    this.queue = parts.queue;
    this.db = parts.db;
    this.testDatabase = parts.testDatabase;
    this.clock = parts.clock;
    this.#options = parts.options;
    this.knobs = parts.knobs;
    this.faults = parts.faults;
  }

  static async start(options: BedOptions = {}): Promise<GatewayBed> {
    if (postgres === undefined) throw new Error("useBeds has not started the database");
    const testDatabase = await postgres.createDatabase();
    const clock = options.standingClock === true ? manualClock(Date.UTC(2030, 0, 1)) : undefined;
    const engine: Engine = createMemoryEngine(clock === undefined ? {} : { clock });
    const queue = await openQueue({ engine, topics: allTopics as unknown as Topic<unknown>[] });
    const knobs = await openKnobs({ engine, initial: { userRatePerSecond: 1_000, velocityPerMinute: 10_000 } });
    const faults = await openFaults({ engine });
    const slow = delayByFaults();
    const db = openDatabase(testDatabase.url, slow);
    slow.follow(faults);
    const bed = new GatewayBed({ queue, db, testDatabase, clock, knobs, faults, options });
    await bed.#addProducts();
    if (options.stages !== false) await bed.startStages();
    await bed.startGateway();
    return bed;
  }

  /** Another gateway on the same engine and database; it is the one that `call` asks from now on. */
  async startGateway(own: BedOptions = {}): Promise<RunningGateway> {
    const {
      stages: _stages,
      standingClock: _clock,
      wrapQueue = (queue: Queue) => queue,
      ...options
    } = { ...this.#options, ...own };
    const queue = options.company === "beside-others" ? await this.#queueOfItsOwn() : this.queue;
    const gateway = await startGateway({
      queue: wrapQueue(queue),
      db: this.db,
      knobs: this.knobs,
      faults: this.faults,
      secrets: { session: "a session secret", purchase: "a purchase secret" },
      adminToken,
      host: "127.0.0.1",
      port: 0,
      log: pino({ level: process.env.LOG_LEVEL ?? "silent" }),
      ...options,
      // A busy machine decides late; tests that are about waiting set their own.
      timings: { waitMs: 20_000, ...options.timings },
    });
    this.#gateways.push(gateway);
    this.#asked = gateway;
    return gateway;
  }

  /** Which gateway `call` asks from now on. */
  ask(gateway: RunningGateway): void {
    this.#asked = gateway;
  }

  get gateway(): RunningGateway {
    if (this.#asked === undefined) throw new Error("no gateway was started");
    return this.#asked;
  }

  get url(): string {
    return this.gateway.url;
  }

  async startStages(): Promise<void> {
    this.#members = [
      await this.queue.process<RequestMessage, RiskScores>({
        group: groups.risk,
        topic: purchaseRequests,
        keys: riskEntriesOf,
        decide: (message, state, context) => decideRisk(message, state, context, this.knobs.get()),
        poison: (message) => poisonRisk(message),
      }),
      await this.queue.process<StockCommand>({
        group: groups.stock,
        topic: stockCommands,
        keys: stockEntriesOf,
        decide: decideStock,
        poison: (command, _error, state, context) => poisonStock(command, state, context),
      }),
    ];
  }

  async stopStages(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()));
    this.#members = [];
  }

  async call(method: string, path: string, call: Call = {}): Promise<Answer> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get("content-type")?.includes("json") === true;
    return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
  }

  async signIn(headers: Readonly<Record<string, string>> = {}): Promise<{ userId: string; token: string }> {
    const { status, body } = await this.call("POST", "/api/session", { headers });
    if (status !== 201) throw new Error(`sign-in answered ${status}: ${JSON.stringify(body)}`);
    return body as { userId: string; token: string };
  }

  async openSale(terms: Record<string, unknown> = {}): Promise<Sale> {
    const { status, body } = await this.call("POST", "/api/ops/sales", {
      token: adminToken,
      body: { stock: 10, ...terms },
    });
    if (status !== 201) throw new Error(`opening a sale answered ${status}: ${JSON.stringify(body)}`);
    return body as Sale;
  }

  buy(saleId: string, token: string, call: Omit<Call, "token"> = {}): Promise<Answer> {
    return this.call("POST", `/api/sales/${saleId}/purchases`, { token, body: {}, ...call });
  }

  /** The sale as the gateway shows it now: its stock may be 100 ms old, so poll what a purchase should have changed. */
  async saleShown(saleId: string): Promise<unknown> {
    return (await this.call("GET", `/api/sales/${saleId}`)).body;
  }

  /** Asks again until the answer is as wanted; fails after 10 s with the last one. */
  async until(ask: () => Promise<Answer>, isWanted: (answer: Answer) => boolean): Promise<Answer> {
    const giveUpAt = performance.now() + 10_000;
    for (;;) {
      const answer = await ask();
      if (isWanted(answer)) return answer;
      if (performance.now() > giveUpAt) throw new Error(`still ${answer.status}: ${JSON.stringify(answer.body)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    await Promise.all(this.#gateways.map((gateway) => gateway.stop()));
    await Promise.all(this.#queues.map((queue) => queue.stop()));
    await this.faults.stop();
    await this.queue.stop();
    await this.db.$disconnect();
    await this.testDatabase.drop();
  }

  /** As a process of its own has it: it shares the engine and nothing else. */
  async #queueOfItsOwn(): Promise<Queue> {
    const engine = overriding(this.queue.engine, { close: async () => undefined });
    const queue = await openQueue({ engine, topics: allTopics as unknown as Topic<unknown>[] });
    this.#queues.push(queue);
    return queue;
  }

  async #addProducts(): Promise<void> {
    await this.db.product.createMany({
      data: ["kettle", "lamp"].map((id, index) => ({
        id,
        title: `A ${id}`,
        description: "Does what it should.",
        picture: id,
        priceCents: 4_900 + index,
        position: index,
      })),
    });
  }
}

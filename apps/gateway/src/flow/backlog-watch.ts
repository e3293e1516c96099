/**
 * How much lies undecided between the publish of a purchase and its decision.
 *
 * What can go wrong: a position told from an older reading could rise later. Three facts keep it an upper bound that
 * never rises. The end offsets that a purchase is measured against are read after its publish. A reading looks at
 * `purchase-requests` before `stock-commands`, so a request that moves on meanwhile is counted twice, never not at
 * all. And what was told before caps what is told next.
 */
import { groups, purchaseRequests, results, stockCommands } from "@plateau/domain";
import { type PartitionStatistics, partitionOfKey, type Queue, type Topic } from "queue-core";
import type { PendingPurchase } from "../purchases/pending-purchases.ts";

export interface BacklogReading {
  /** Readings are numbered by when they began. */
  readonly number: number;
  readonly atMs: number;
  readonly requests: readonly PartitionStatistics[];
  readonly commands: readonly PartitionStatistics[];
  /** Decisions since the beginning. */
  readonly decided: number;
  /** Undecided messages in all. */
  readonly lagMessages: number;
}

/** Of a pending purchase. */
export interface Standing {
  /** At most so many undecided ahead. */
  readonly position: number;
  /** About how long they take; null without a rate to tell from. */
  readonly etaMs: number | null;
}

/** Nothing is read where nothing was undecided and nothing has come since: an idle gateway asks nobody. */
const readEveryMs = 200;
/** A fresh reading is at most begun this often, however many ask. */
const refreshEveryMs = 20;
const rateOverMs = 5_000;
/** What a reading is of. */
const watched: ReadonlySet<string> = new Set([purchaseRequests.name, stockCommands.name, results.name]);

export class BacklogWatch {
  readonly #queue: Queue;
  readonly #onError: (error: unknown) => void;
  #begun = 0;
  #latest: BacklogReading | undefined;
  #running: Promise<void> | undefined;
  #history: BacklogReading[] = [];
  #timer: NodeJS.Timeout | undefined;
  #refreshed: Promise<void> | undefined;
  /** Whether messages came since the last reading began. */
  #hasNews = true;
  #unsubscribe: () => void = () => undefined;

  constructor(queue: Queue, onError: (error: unknown) => void) {
    this.#queue = queue;
    this.#onError = onError;
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.#queue.engine.onAppend((topic) => {
      if (watched.has(topic)) this.#hasNews = true;
    });
    await this.#read();
    this.#timer = setInterval(() => {
      if (this.#hasNews || this.lagMessages > 0) this.#readShared().catch(this.#onError);
      else this.#standStill();
    }, readEveryMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#unsubscribe();
    await this.#running?.catch(() => undefined);
  }

  /** The number of the last reading begun: what is published now is not before the end offsets of the next. */
  get begun(): number {
    return this.#begun;
  }

  get lagMessages(): number {
    return this.#latest?.lagMessages ?? 0;
  }

  /** Decisions per second over the last 5 s; 0 where there were none. */
  get decisionsPerSecond(): number {
    const first = this.#history[0];
    const last = this.#latest;
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
    return ((last.decided - first.decided) * 1000) / (last.atMs - first.atMs);
  }

  /** About how long until `messages` are decided; null without a rate to tell from. */
  etaMs(messages: number): number | null {
    const rate = this.decisionsPerSecond;
    return rate === 0 ? null : Math.ceil((messages * 1000) / rate);
  }

  async standing(pending: PendingPurchase): Promise<Standing> {
    if (this.#latest === undefined || this.#latest.number <= pending.publishedAtReading) await this.#refresh();
    const reading = this.#latest;
    if (reading !== undefined && reading.number > pending.publishedAtReading) {
      pending.toldPosition = Math.min(pending.toldPosition, countAhead(pending, reading));
    }
    const position = Number.isFinite(pending.toldPosition) ? pending.toldPosition : this.lagMessages;
    return { position, etaMs: this.etaMs(position + 1) };
  }

  /** Resolves after a reading that began after this call. */
  #refresh(): Promise<void> {
    this.#refreshed ??= new Promise<void>((resolve) => {
      setTimeout(() => {
        this.#refreshed = undefined;
        const earlier = this.#running ?? Promise.resolve();
        resolve(earlier.catch(() => undefined).then(() => this.#readShared()));
      }, refreshEveryMs);
    });
    return this.#refreshed;
  }

  #readShared(): Promise<void> {
    this.#running ??= this.#read()
      .catch((error: unknown) => {
        this.#hasNews = true;
        throw error;
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async #read(): Promise<void> {
    const number = ++this.#begun;
    this.#hasNews = false;
    const requests = await this.#queue.groupStatistics(groups.risk, purchaseRequests as Topic<unknown>);
    const commands = await this.#queue.groupStatistics(groups.stock, stockCommands as Topic<unknown>);
    const ended = await this.#queue.groupStatistics(groups.stats, results as Topic<unknown>);
    const atMs = this.#queue.now();
    this.#latest = {
      number,
      atMs,
      requests,
      commands,
      decided: ended.reduce((sum, { end }) => sum + end, 0),
      lagMessages: sumOfLags(requests) + sumOfLags(commands),
    };
    this.#remember(this.#latest);
  }

  /** As it was: the rate of decisions goes on towards 0. */
  #standStill(): void {
    if (this.#latest === undefined || this.#running !== undefined) return;
    this.#latest = { ...this.#latest, atMs: this.#queue.now() };
    this.#remember(this.#latest);
  }

  #remember(reading: BacklogReading): void {
    this.#history.push(reading);
    while ((this.#history[1]?.atMs ?? reading.atMs) < reading.atMs - rateOverMs) this.#history.shift();
  }
}

function countAhead(pending: PendingPurchase, reading: BacklogReading): number {
  pending.endsAtPublish ??= reading.requests.map(({ end }) => end);
  let undecided = 0;
  for (const { partition, committed } of reading.requests) {
    undecided += Math.max(0, (pending.endsAtPublish[partition] ?? 0) - committed);
  }
  undecided += reading.commands[partitionOfKey(pending.terms.saleId, stockCommands.partitions)]?.lagMessages ?? 0;
  // It counts itself for as long as it is undecided.
  return Math.max(0, undecided - 1);
}

const sumOfLags = (partitions: readonly PartitionStatistics[]): number =>
  partitions.reduce((sum, { lagMessages }) => sum + lagMessages, 0);

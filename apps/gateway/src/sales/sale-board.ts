/**
 * The stock of each sale as last read from the stock stage's state.
 *
 * What can go wrong: a stale reading would refuse people for stock that came back, so a reading carries when it was
 * begun and callers say how old it may be. A crowd asking for one sale must not read it once each: readings are
 * shared, and a sale somebody asked for in the last second is read again before it grows old. Made-up sale ids must
 * not fill the memory: what is absent is remembered shortly and in a bounded cache.
 */
import { type SaleStock, stockKeys } from "@plateau/domain";
import { LRUCache } from "lru-cache";
import type { StateView } from "queue-core";

export interface LiveSale {
  readonly stock: SaleStock;
  /** When the reading began, ms since epoch, engine time. */
  readonly readAtMs: number;
}

interface Entry {
  live: LiveSale | undefined;
  /** Also set where the sale was found absent. */
  readAtMs: number;
  askedAtMs: number;
  reading: Promise<LiveSale | undefined> | undefined;
}

const refreshEveryMs = 50;
const keepFreshForMs = 1_000;
const rememberedMax = 10_000;

export class SaleBoard {
  readonly #state: StateView;
  readonly #now: () => number;
  readonly #entries = new LRUCache<string, Entry>({ max: rememberedMax });
  #timer: NodeJS.Timeout | undefined;

  constructor(state: StateView, now: () => number) {
    this.#state = state;
    this.#now = now;
  }

  start(): void {
    this.#timer = setInterval(() => this.#refreshAsked(), refreshEveryMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * The sale as of at most `maxAgeMs` ago; undefined where the stock stage knows no such sale. Synchronous where a
   * reading is young enough.
   */
  read(saleId: string, maxAgeMs: number): LiveSale | undefined | Promise<LiveSale | undefined> {
    const nowMs = this.#now();
    let entry = this.#entries.get(saleId);
    if (entry === undefined) {
      entry = { live: undefined, readAtMs: Number.NEGATIVE_INFINITY, askedAtMs: nowMs, reading: undefined };
      this.#entries.set(saleId, entry);
    }
    entry.askedAtMs = nowMs;
    return nowMs - entry.readAtMs <= maxAgeMs ? entry.live : this.#readAgain(saleId, entry);
  }

  /** Takes over what a command's reply told, so that nobody has to read it again. */
  put(stock: SaleStock): void {
    const nowMs = this.#now();
    this.#entries.set(stock.terms.saleId, {
      live: { stock, readAtMs: nowMs },
      readAtMs: nowMs,
      askedAtMs: nowMs,
      reading: undefined,
    });
  }

  #refreshAsked(): void {
    const nowMs = this.#now();
    for (const [saleId, entry] of this.#entries.entries()) {
      // Most recently used come first: behind the first unasked one there are only unasked ones.
      if (nowMs - entry.askedAtMs > keepFreshForMs) return;
      if (entry.live !== undefined) this.#readAgain(saleId, entry).catch(() => undefined);
    }
  }

  #readAgain(saleId: string, entry: Entry): Promise<LiveSale | undefined> {
    entry.reading ??= this.#readNow(saleId, entry).finally(() => {
      entry.reading = undefined;
    });
    return entry.reading;
  }

  async #readNow(saleId: string, entry: Entry): Promise<LiveSale | undefined> {
    const readAtMs = this.#now();
    const stock = await this.#state.get<SaleStock>(saleId, stockKeys.sale(saleId));
    entry.live = stock === undefined ? undefined : { stock, readAtMs };
    entry.readAtMs = readAtMs;
    return entry.live;
  }
}

/**
 * The catalogue as the database keeps it, shared by everyone who asks within a moment.
 *
 * What can go wrong: a page that a crowd reloads must not query the database once each, so rows are kept for a
 * moment; a sale just made must show at once, so whoever makes one says so. When the database is down, what was
 * read last is shown on: the stock beside it comes from the stock stage and stays live.
 */
import type { Product } from "@plateau/domain";
import type { Database } from "@plateau/prisma";
import { LRUCache } from "lru-cache";
import type { Logger } from "pino";
import type { SaleRow } from "./sale-view.ts";

const keepMs = 1_000;
const endedShown = 24;
/** Bounds one answer; a load test makes many. */
const currentShown = 200;

interface Kept<T> {
  value: T | undefined;
  readAtMs: number;
  reading: Promise<T> | undefined;
}

export class SaleCatalogue {
  readonly #db: Database;
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #sales: Kept<readonly SaleRow[]> = { value: undefined, readAtMs: 0, reading: undefined };
  readonly #products: Kept<readonly Product[]> = { value: undefined, readAtMs: 0, reading: undefined };
  readonly #single = new LRUCache<string, { readonly row: SaleRow | undefined; readonly readAtMs: number }>({
    max: 5_000,
  });

  constructor(parts: { db: Database; now: () => number; log: Logger }) {
    this.#db = parts.db;
    this.#now = parts.now;
    this.#log = parts.log;
  }

  products(): Promise<readonly Product[]> {
    return this.#keep(this.#products, async () => {
      const rows = await this.#db.product.findMany({ orderBy: { position: "asc" } });
      return rows.map(({ id, title, description, picture, priceCents }) => ({
        id,
        title,
        description,
        picture,
        priceCents,
      }));
    });
  }

  /** Those not ended, and the newest that ended; by start time. */
  sales(): Promise<readonly SaleRow[]> {
    return this.#keep(this.#sales, () => this.#readSales());
  }

  async sale(saleId: string): Promise<SaleRow | undefined> {
    const known = this.#single.get(saleId);
    if (known !== undefined && this.#now() - known.readAtMs <= keepMs) return known.row;
    try {
      const row = (await this.#db.sale.findUnique({ where: { id: saleId }, include: withProduct })) ?? undefined;
      this.#single.set(saleId, { row, readAtMs: this.#now() });
      return row;
    } catch (error) {
      if (known === undefined) throw error;
      return known.row;
    }
  }

  /** Sales that are to be open in the stock stage, or closed there though their time is not over. */
  notEnded(): Promise<readonly SaleRow[]> {
    return this.#db.sale.findMany({ where: { endsAt: { gt: new Date(this.#now()) } }, include: withProduct });
  }

  /** The next reader asks the database. */
  forget(): void {
    this.#sales.readAtMs = 0;
    this.#single.clear();
  }

  async #readSales(): Promise<readonly SaleRow[]> {
    const now = new Date(this.#now());
    const current = { endsAt: { gt: now }, closedAt: null };
    const [running, ended] = await Promise.all([
      this.#db.sale.findMany({
        where: current,
        include: withProduct,
        orderBy: { startsAt: "desc" },
        take: currentShown,
      }),
      this.#db.sale.findMany({
        where: { NOT: current },
        include: withProduct,
        orderBy: { startsAt: "desc" },
        take: endedShown,
      }),
    ]);
    return [...running, ...ended].sort((a, b) => a.startsAt.getTime() - b.startsAt.getTime());
  }

  /** Shares one reading; goes on with the last where the database fails. */
  #keep<T>(kept: Kept<T>, read: () => Promise<T>): Promise<T> {
    if (kept.value !== undefined && this.#now() - kept.readAtMs <= keepMs) return Promise.resolve(kept.value);
    kept.reading ??= read()
      .then((value) => {
        kept.value = value;
        kept.readAtMs = this.#now();
        return value;
      })
      .catch((error: unknown) => {
        if (kept.value === undefined) throw error;
        this.#log.warn({ err: error }, "the catalogue could not be read; the last one is shown on");
        return kept.value;
      })
      .finally(() => {
        kept.reading = undefined;
      });
    return kept.reading;
  }
}

const withProduct = { product: { select: { picture: true, priceCents: true } } } as const;

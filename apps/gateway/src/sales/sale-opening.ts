/**
 * Opens and closes sales: a row in the database (the catalogue), then a command to the stock stage (the truth).
 *
 * What can go wrong: a crash between the two leaves a row that nobody can buy from, or an old sale that stays open
 * beside its successor. Both commands are idempotent, so at each start they are sent again for every sale whose time
 * is not over. A command that cannot be stored closes its row, so that a sale nobody was promised does not open later.
 */
import { newSaleId, type SaleStock, type StockCommand, type StockReply, stockCommands, termsOf } from "@plateau/domain";
import type { Database } from "@plateau/prisma";
import type { Logger } from "pino";
import { type Queue, QueueError, type Requester } from "queue-core";
import type { SaleBoard } from "./sale-board.ts";
import type { SaleCatalogue } from "./sale-catalogue.ts";
import type { SaleRow } from "./sale-view.ts";

export type NewSale = Omit<SaleRow, "id" | "closedAt" | "product">;

const resentAtOnce = 256;

interface Parts {
  readonly db: Database;
  readonly queue: Queue;
  readonly requester: Requester;
  readonly board: SaleBoard;
  readonly catalogue: SaleCatalogue;
  readonly log: Logger;
  readonly commandWaitMs: number;
}

export class SaleOpening {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Resolves when the stock stage has opened it; a stage that is slow opens it later. Throws where the queue takes no commands. */
  async open(sale: NewSale): Promise<SaleRow> {
    const row = await this.#parts.db.sale.create({ data: { id: newSaleId(), ...sale }, include: withProduct });
    await this.#openInStock(row);
    return row;
  }

  /** A reset is a new sale: the old one closes, its late commands change nothing else. */
  async replace(old: SaleRow, sale: NewSale): Promise<SaleRow> {
    const { db, queue } = this.#parts;
    const [, row] = await db.$transaction([
      db.sale.update({ where: { id: old.id }, data: { closedAt: old.closedAt ?? new Date(queue.now()) } }),
      db.sale.create({ data: { id: newSaleId(), ...sale }, include: withProduct }),
    ]);
    await this.#command({ type: "close-sale", saleId: termsOf(old).saleId });
    await this.#openInStock(row);
    return row;
  }

  /** It ends now, whatever its time was. */
  async close(sale: SaleRow): Promise<void> {
    const { db, queue, catalogue } = this.#parts;
    await db.sale.update({ where: { id: sale.id }, data: { closedAt: sale.closedAt ?? new Date(queue.now()) } });
    await this.#command({ type: "close-sale", saleId: termsOf(sale).saleId });
    catalogue.forget();
  }

  /** At each start. Resolves with how many sales it was about. */
  async resend(): Promise<number> {
    const { queue, catalogue } = this.#parts;
    const rows = await catalogue.notEnded();
    for (let from = 0; from < rows.length; from += resentAtOnce) {
      const batch = rows.slice(from, from + resentAtOnce);
      await Promise.all(batch.map((row) => queue.publish(stockCommands, commandFor(row))));
    }
    return rows.length;
  }

  async #openInStock(row: SaleRow): Promise<void> {
    const { db, board, catalogue } = this.#parts;
    try {
      const stock = await this.#command({ type: "open-sale", saleId: termsOf(row).saleId, terms: termsOf(row) });
      if (stock !== undefined) board.put(stock);
    } catch (error) {
      if (error instanceof QueueError && error.outcome === "not_stored") {
        await db.sale.update({ where: { id: row.id }, data: { closedAt: new Date() } });
      }
      throw error;
    } finally {
      catalogue.forget();
    }
  }

  /** The sale as the stock stage left it; undefined where it has not answered yet. */
  async #command(command: StockCommand): Promise<SaleStock | undefined> {
    const { requester, commandWaitMs, log } = this.#parts;
    const { published, reply } = requester.send<StockCommand, StockReply>(stockCommands, command, {
      timeoutMs: commandWaitMs,
    });
    await published;
    try {
      const answer = await reply;
      return answer.type === "sale" ? answer.sale : undefined;
    } catch (error) {
      log.warn({ err: error, command: command.type, saleId: command.saleId }, "the stock stage has not answered yet");
      return undefined;
    }
  }
}

const commandFor = (row: SaleRow): StockCommand =>
  row.closedAt === null
    ? { type: "open-sale", saleId: termsOf(row).saleId, terms: termsOf(row) }
    : { type: "close-sale", saleId: termsOf(row).saleId };

const withProduct = { product: { select: { picture: true, priceCents: true } } } as const;

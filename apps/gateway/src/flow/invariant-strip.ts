/**
 * What must hold at every instant, as it stands now: the units of running sales, and the audit's last verdict.
 *
 * What it costs: nothing while nobody watches. An audit reads a part of the log, so the next one waits for fifteen
 * seconds, or for twenty times as long as the last one took where that is more: a twentieth of one core at most.
 */
import type { AuditLine, AuditReport, ControlSecond, StockLine } from "@plateau/domain";
import type { Logger } from "pino";
import type { SaleBoard } from "../sales/sale-board.ts";
import type { SaleCatalogue } from "../sales/sale-catalogue.ts";
import type { SaleRow } from "../sales/sale-view.ts";

const auditEveryMs = 15_000;
const restForEachMs = 20;
const salesMax = 8;
/** Younger than a second's sample; what a crowd's pages read is shared. */
const stockMaxAgeMs = 200;

export interface StripParts {
  readonly catalogue: SaleCatalogue;
  readonly board: SaleBoard;
  readonly audit: () => Promise<AuditReport>;
  readonly watched: () => boolean;
  /** Ms since epoch, engine time. */
  readonly now: () => number;
  readonly log: Logger;
}

export class InvariantStrip {
  readonly #parts: StripParts;
  #audit: AuditLine | null = null;
  #auditing: Promise<void> | undefined;
  #nextAuditAtMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(parts: StripParts) {
    this.#parts = parts;
  }

  async look(): Promise<Pick<ControlSecond, "sales" | "audit">> {
    if (!this.#parts.watched()) return { sales: [], audit: this.#audit };
    this.#auditInTurn();
    const sales = await this.#sales().catch((error: unknown) => {
      this.#parts.log.debug({ err: error }, "the running sales could not be read");
      return [];
    });
    return { sales, audit: this.#audit };
  }

  /** Resolves when the audit under way is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#auditing;
  }

  async #sales(): Promise<StockLine[]> {
    const { catalogue, board, now } = this.#parts;
    const nowMs = now();
    const running = (await catalogue.sales())
      .filter(
        ({ startsAt, endsAt, closedAt }) =>
          closedAt === null && startsAt.getTime() <= nowMs && nowMs < endsAt.getTime(),
      )
      .slice(-salesMax)
      .reverse();
    const lines = await Promise.all(
      running.map(async (row) => stockLine(row, await board.read(row.id, stockMaxAgeMs))),
    );
    return lines.filter((line) => line !== undefined);
  }

  #auditInTurn(): void {
    const beganMs = this.#parts.now();
    if (this.#stopped || this.#auditing !== undefined || beganMs < this.#nextAuditAtMs) return;
    this.#auditing = this.#parts
      .audit()
      .then((report) => {
        const atMs = this.#parts.now();
        this.#audit = lineOf(report, atMs, atMs - beganMs);
      })
      .catch((error: unknown) => this.#parts.log.warn({ err: error }, "the control room's audit failed"))
      .finally(() => {
        const atMs = this.#parts.now();
        this.#nextAuditAtMs = atMs + Math.max(auditEveryMs, restForEachMs * (atMs - beganMs));
        this.#auditing = undefined;
      });
  }
}

function stockLine(row: SaleRow, live: Awaited<ReturnType<SaleBoard["read"]>>): StockLine | undefined {
  if (live === undefined) return undefined;
  const { terms, available, reserved, sold } = live.stock;
  const holds = available + reserved + sold === terms.stock && available >= 0 && reserved >= 0 && sold >= 0;
  return { saleId: row.id, title: row.title, stock: terms.stock, available, reserved, sold, holds };
}

function lineOf({ verdict, invariants }: AuditReport, atMs: number, tookMs: number): AuditLine {
  const amiss = invariants.flatMap(({ id, title, verdict: one, evidence }) =>
    one === "pass" ? [] : [{ id, title, verdict: one, evidence }],
  );
  return { verdict, atMs, tookMs, amiss };
}

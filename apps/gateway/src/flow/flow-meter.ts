/**
 * Counts what passes the gateway. Counting is a handful of increments, so that the hot path can afford it.
 *
 * What can go wrong: counts by sale must not grow with made-up ids, so only purchases of known sales are counted by
 * sale. A window that was given out must not open again, or its late half would pass for a repeat of the first: counts
 * belong to the second in which they are made, by a clock that never goes backwards.
 */
import type { AdmissionWindow, ProblemCode, PurchaseResult, SaleId } from "@plateau/domain";
import { AnswerTimes } from "./answer-times.ts";
import { SpanTimes } from "./span-times.ts";

interface SaleCounts {
  readonly windowStartMs: number;
  arrivals: number;
  admitted: number;
  readonly refused: Map<string, number>;
  readonly hints: Map<number, number>;
}

/** Since the start of the gateway. */
export interface FlowTotals {
  arrivals: number;
  admitted: number;
  /** Refusals by the gateway by problem code, and by the stages by reason. */
  readonly refused: Map<string, number>;
  /** Of these, those by the gateway alone. */
  readonly shed: Map<string, number>;
  readonly outcomes: Map<string, number>;
}

export class FlowMeter {
  readonly gatewayId: string;
  readonly answers = new AnswerTimes();
  /** Since somebody last looked. */
  readonly spans = { enqueue: new SpanTimes(), wait: new SpanTimes(), answer: new SpanTimes() } as const;
  readonly totals: FlowTotals = {
    arrivals: 0,
    admitted: 0,
    refused: new Map(),
    shed: new Map(),
    outcomes: new Map(),
  };
  #open = new Map<string, SaleCounts>();
  #closed: AdmissionWindow[] = [];

  constructor(gatewayId: string) {
    this.gatewayId = gatewayId;
  }

  arrived(): void {
    this.totals.arrivals++;
  }

  admitted(saleId: string, nowMs: number): void {
    this.totals.admitted++;
    const counts = this.#countsOf(saleId, nowMs);
    counts.arrivals++;
    counts.admitted++;
  }

  /** `saleId` only where the sale is known. */
  refused(code: ProblemCode, saleId: string | undefined, nowMs: number, hintPosition?: number): void {
    increment(this.totals.refused, code);
    increment(this.totals.shed, code);
    if (saleId === undefined) return;
    const counts = this.#countsOf(saleId, nowMs);
    counts.arrivals++;
    increment(counts.refused, code);
    if (hintPosition !== undefined) increment(counts.hints, hintPosition);
  }

  /** A purchase of this gateway was decided. */
  decided({ outcome, reason }: PurchaseResult): void {
    increment(this.totals.outcomes, outcome);
    if (outcome !== "won") increment(this.totals.refused, reason ?? outcome);
  }

  answered(durationMs: number, nowMs: number): void {
    this.answers.record(durationMs, nowMs);
    this.spans.answer.record(durationMs);
  }

  /** From the publish until it was durable. */
  enqueued(durationMs: number): void {
    this.spans.enqueue.record(durationMs);
  }

  /** From durable until decided. */
  waited(durationMs: number): void {
    this.spans.wait.record(durationMs);
  }

  /** The windows that are over at `nowMs`; each is given out once. */
  takeWindows(nowMs: number): AdmissionWindow[] {
    for (const [saleId, counts] of this.#open) {
      if (counts.windowStartMs + 1000 <= nowMs) this.#close(saleId, counts);
    }
    const windows = this.#closed;
    this.#closed = [];
    return windows;
  }

  #countsOf(saleId: string, nowMs: number): SaleCounts {
    const windowStartMs = nowMs - (nowMs % 1000);
    const counts = this.#open.get(saleId);
    if (counts?.windowStartMs === windowStartMs) return counts;
    if (counts !== undefined) this.#close(saleId, counts);
    const fresh: SaleCounts = { windowStartMs, arrivals: 0, admitted: 0, refused: new Map(), hints: new Map() };
    this.#open.set(saleId, fresh);
    return fresh;
  }

  #close(saleId: string, counts: SaleCounts): void {
    this.#open.delete(saleId);
    this.#closed.push({
      gatewayId: this.gatewayId,
      saleId: saleId as SaleId,
      windowStartMs: counts.windowStartMs,
      arrivals: counts.arrivals,
      admitted: counts.admitted,
      refused: Object.fromEntries(counts.refused),
      hints: [...counts.hints].map(([position, count]) => ({ position, count })),
    });
  }
}

function increment<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/**
 * The last hour, a point each second, by columns: as a chart takes it, and in a fixed 700 kB however long it runs.
 *
 * What can go wrong: two samples of one instant would draw one moment twice; only a later one is kept. Reasons of
 * refusals are columns too, so their number is bounded; what is beyond the bound counts in the sum alone.
 */
import type { ControlHistory as ControlHistoryAnswer, ControlSecond, Latency } from "@plateau/domain";

export const hourSeconds = 3_600;
const reasonsMax = 32;

const counted = ["atMs", "arrivals", "admitted", "shed", "decided", "won", "backlog"] as const;
const spans = ["enqueue", "wait", "answer"] as const;
const quantiles = ["p50", "p95", "p99"] as const;
type Counted = (typeof counted)[number];
type Charted = Pick<
  ControlSecond,
  "atMs" | "arrivals" | "admitted" | "shed" | "decided" | "won" | "backlog" | "latency"
>;

export class ControlHistory {
  readonly #columns = new Map<string, Float64Array>();
  readonly #reasons = new Map<string, Float64Array>();
  #next = 0;
  #length = 0;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  add(second: Charted): void {
    if (second.atMs <= this.#lastAtMs) return;
    this.#lastAtMs = second.atMs;
    const shed = Object.values(second.shed).reduce((sum, rate) => sum + rate, 0);
    for (const name of counted) this.#column(name)[this.#next] = name === "shed" ? shed : second[name];
    for (const span of spans) {
      for (const quantile of quantiles)
        this.#column(`${span} ${quantile}`)[this.#next] = second.latency[span][quantile] ?? Number.NaN;
    }
    for (const column of this.#reasons.values()) column[this.#next] = 0;
    for (const [reason, rate] of Object.entries(second.shed)) {
      const column = this.#reasonColumn(reason);
      if (column !== undefined) column[this.#next] = rate;
    }
    this.#next = (this.#next + 1) % hourSeconds;
    this.#length = Math.min(this.#length + 1, hourSeconds);
  }

  /** The newest `seconds` points, oldest first. */
  newest(seconds: number): Omit<ControlHistoryAnswer, "gatewayId" | "marks"> {
    const count = Math.min(seconds, this.#length);
    const column = (name: Counted): number[] => this.#read(this.#column(name), count).map(oneDecimal);
    const latency = (span: (typeof spans)[number]) => {
      const of = (quantile: keyof Latency): (number | null)[] =>
        this.#read(this.#column(`${span} ${quantile}`), count).map((ms) => (Number.isNaN(ms) ? null : ms));
      return { p50: of("p50"), p95: of("p95"), p99: of("p99") };
    };
    const shedBy = [...this.#reasons]
      .map(([reason, values]) => [reason, this.#read(values, count)] as const)
      .filter(([, values]) => values.some((rate) => rate > 0));
    return {
      atMs: column("atMs"),
      arrivals: column("arrivals"),
      admitted: column("admitted"),
      shed: column("shed"),
      shedBy: Object.fromEntries(shedBy),
      decided: column("decided"),
      won: column("won"),
      backlog: column("backlog"),
      latency: { enqueue: latency("enqueue"), wait: latency("wait"), answer: latency("answer") },
    };
  }

  #column(name: string): Float64Array {
    const known = this.#columns.get(name);
    if (known !== undefined) return known;
    const column = new Float64Array(hourSeconds);
    this.#columns.set(name, column);
    return column;
  }

  #reasonColumn(reason: string): Float64Array | undefined {
    const known = this.#reasons.get(reason);
    if (known !== undefined || this.#reasons.size >= reasonsMax) return known;
    const column = new Float64Array(hourSeconds);
    this.#reasons.set(reason, column);
    return column;
  }

  #read(column: Float64Array, count: number): number[] {
    const from = (this.#next - count + hourSeconds) % hourSeconds;
    return Array.from({ length: count }, (_, index) => column[(from + index) % hourSeconds] ?? 0);
  }
}

const oneDecimal = (value: number): number => Math.round(value * 10) / 10;

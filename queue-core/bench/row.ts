/** What a benchmark tells: one row of the table that `npm run bench` prints. */

export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  /** Median over the rounds. */
  readonly ours: number;
  readonly theirs?: number;
  /** Median of ours ÷ theirs of paired rounds. */
  readonly ratio?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly rounds: number;
  /** What the row's ratio, or `ours` where it has none, has to reach; undefined rows are reported without a bar. */
  readonly bar?: number;
  /** Default "at least". */
  readonly barIs?: "at most";
  /** Printed below the table. */
  readonly note?: string;
}

/** True for a row without a bar. */
export function meetsBar(row: BenchRow): boolean {
  if (row.bar === undefined) return true;
  const reached = row.ratio ?? row.ours;
  return row.barIs === "at most" ? reached <= row.bar : reached >= row.bar;
}

export interface BenchOptions {
  /** Counted rounds, each with both sides; one more is run first and thrown away. */
  readonly rounds: number;
}

export function median(values: ArrayLike<number>): number {
  return percentile(values, 0.5);
}

/** Nearest-rank percentile, `fraction` in 0..1; NaN without values. */
export function percentile(values: ArrayLike<number>, fraction: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
}

/** Ratios of paired rounds: whatever else the machine does in a round meets both sides. */
export function ratioOfRounds(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((our, round) => our / (theirs[round] as number)));
}

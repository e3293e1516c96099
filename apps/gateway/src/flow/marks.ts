/**
 * What happened, when, and by whom: knobs, faults, spikes, sales; drawn on the control room's chart.
 *
 * What can go wrong: a slider that is dragged turns a knob dozens of times a second; turns of one knob within a
 * second are one mark, from where it stood to where it stands. Kept for an hour and bounded by count.
 */
import type { Mark } from "@plateau/domain";

const keptMs = 3_600_000;
const keptMax = 2_000;
const joinedWithinMs = 1_000;

export type NewMark = Pick<Mark, "kind" | "what" | "detail" | "by">;

export class Marks {
  readonly #now: () => number;
  #kept: Mark[] = [];
  #untold = new Map<number, Mark>();
  #nextId = 1;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Without `atMs`: now. */
  add(mark: NewMark, atMs: number = this.#now()): void {
    const turned = this.#turnedJustNow(mark, atMs);
    if (turned !== undefined) {
      this.#replace({ ...turned, detail: { ...mark.detail, from: turned.detail.from ?? mark.detail.from ?? "" } });
      return;
    }
    const added = { ...mark, id: this.#nextId++, atMs };
    this.#kept.push(added);
    this.#untold.set(added.id, added);
    const oldestMs = this.#now() - keptMs;
    while (this.#kept.length > keptMax || (this.#kept[0]?.atMs ?? oldestMs) < oldestMs) this.#kept.shift();
  }

  /** Oldest first. */
  since(atMs: number): readonly Mark[] {
    return this.#kept.filter((mark) => mark.atMs >= atMs);
  }

  /** Those that are new, or grew, since the last call. */
  takeUntold(): readonly Mark[] {
    if (this.#untold.size === 0) return [];
    const marks = [...this.#untold.values()];
    this.#untold = new Map();
    return marks;
  }

  #turnedJustNow({ kind, what }: NewMark, atMs: number): Mark | undefined {
    if (kind !== "knob") return undefined;
    const last = this.#kept.findLast((mark) => mark.kind === kind && mark.what === what);
    return last !== undefined && atMs - last.atMs < joinedWithinMs ? last : undefined;
  }

  #replace(mark: Mark): void {
    this.#kept = this.#kept.map((one) => (one.id === mark.id ? mark : one));
    this.#untold.set(mark.id, mark);
  }
}

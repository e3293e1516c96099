/**
 * A set of positive integers, kept as ranges: "3,5-9".
 *
 * What can go wrong: a producer that is refused for minutes gives up millions of numbers in a row, and a jump may
 * leave as many open; a set of single numbers would grow with them. Ranges grow with the changes between the two.
 */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

export class NumberRanges {
  /** Ascending, apart from each other by at least one number. */
  #ranges: NumberRange[] = [];

  /** Throws a RangeError where the text is not one that `toString` made. */
  static parse(text: string): NumberRanges {
    const parsed = new NumberRanges();
    if (text === "") return parsed;
    let last = 0;
    for (const part of text.split(",")) {
      const [from, to = from] = part.split("-").map(Number);
      if (!isNumber(from) || !isNumber(to) || from <= last || to < from) throw new RangeError(`no ranges: ${text}`);
      parsed.#ranges.push({ from, to });
      last = to;
    }
    return parsed;
  }

  get size(): number {
    return this.#ranges.length;
  }

  get ranges(): readonly NumberRange[] {
    return this.#ranges;
  }

  has(number: number): boolean {
    return this.#ranges.some(({ from, to }) => from <= number && number <= to);
  }

  add(from: number, to = from): void {
    if (to < from) return;
    const before = this.#ranges.filter((range) => range.to < from - 1);
    const after = this.#ranges.filter((range) => range.from > to + 1);
    const touched = this.#ranges.slice(before.length, this.#ranges.length - after.length);
    const first = Math.min(from, touched[0]?.from ?? from);
    const last = Math.max(to, touched.at(-1)?.to ?? to);
    this.#ranges = [...before, { from: first, to: last }, ...after];
  }

  remove(from: number, to = from): void {
    this.#ranges = this.#ranges.flatMap((range) => {
      if (range.to < from || range.from > to) return [range];
      const left = { from: range.from, to: from - 1 };
      const right = { from: to + 1, to: range.to };
      return [left, right].filter((part) => part.from <= part.to);
    });
  }

  removeAll(other: NumberRanges): void {
    for (const { from, to } of other.#ranges) this.remove(from, to);
  }

  /** Takes out and returns everything up to `last`. */
  takeUpTo(last: number): NumberRanges {
    const taken = new NumberRanges();
    taken.#ranges = this.#ranges.flatMap(({ from, to }) => (from > last ? [] : [{ from, to: Math.min(to, last) }]));
    this.remove(1, last);
    return taken;
  }

  /** The first `count` ranges. */
  firstRanges(count: number): NumberRanges {
    const first = new NumberRanges();
    first.#ranges = this.#ranges.slice(0, count);
    return first;
  }

  toString(): string {
    return this.#ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(",");
  }
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 1;
}

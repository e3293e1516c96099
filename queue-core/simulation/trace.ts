/**
 * What happened in a run, folded into a hash; kept line by line only where somebody wants to read it.
 *
 * What can go wrong: a run that does not replay is a finding that nobody can reduce. Two runs of one seed must give
 * the same hash; anything that is not out of the seed (a real clock, a thread, an order of completion) shows here.
 */
export class Trace {
  readonly #lines: string[] | undefined;
  #low = 0x811c9dc5;
  #high = 0x2f0b4c47;
  #noted = 0;

  constructor(mode: "hash" | "lines") {
    this.#lines = mode === "lines" ? [] : undefined;
  }

  get noted(): number {
    return this.#noted;
  }

  get lines(): readonly string[] {
    return this.#lines ?? [];
  }

  /** 16 hex digits. */
  get hash(): string {
    const hex = (value: number) => (value >>> 0).toString(16).padStart(8, "0");
    return hex(this.#high) + hex(this.#low);
  }

  note(timeMs: number, kind: string, detail: string): void {
    this.#noted++;
    this.#text(kind);
    this.#text(detail);
    this.#mix(Math.floor(timeMs * 1000) | 0);
    this.#lines?.push(lineOf(timeMs, kind, detail));
  }

  /** For readers alone: no part of the hash, and not even made where nobody reads. */
  remark(timeMs: number, kind: string, detail: () => string): void {
    this.#lines?.push(lineOf(timeMs, kind, detail()));
  }

  #text(text: string): void {
    for (let index = 0; index < text.length; index++) this.#mix(text.charCodeAt(index));
    this.#mix(0x1f);
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = Math.imul(this.#high ^ value ^ (this.#low >>> 15), 0x5bd1e995);
  }
}

function lineOf(timeMs: number, kind: string, detail: string): string {
  return `${timeMs.toFixed(3).padStart(12)}  ${kind.padEnd(12)} ${detail}`;
}

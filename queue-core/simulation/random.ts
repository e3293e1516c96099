/**
 * Chance out of a seed: sfc32 of Chris Doty-Humphrey (PractRand 0.94, public domain), 128 bits of state.
 *
 * What can go wrong: one stream for everything means that one more draw here changes all that comes after it there.
 * So each user forks a stream of its own, named for what it is used for; a name gives the same stream each time.
 */
export class Random {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    this.#seed = seed;
    this.#a = hash(seed, 0x9e3779b9);
    this.#b = hash(seed, 0x243f6a88);
    this.#c = hash(seed, 0xb7e15162);
    for (let round = 0; round < 12; round++) this.bits();
  }

  fork(name: string): Random {
    return new Random(`${this.#seed}/${name}`);
  }

  /** 32 bits. */
  bits(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** In [0, 1). */
  readonly next = (): number => this.bits() / 2 ** 32;

  /** An integer from 0 to before `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** An integer from `first` to `last`, both included. */
  integer(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  /** In [first, end). */
  between(first: number, end: number): number {
    return first + this.next() * (end - first);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("nothing to pick from");
    return items[this.below(items.length)] as T;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

/** FNV-1a over UTF-16 code units with the finalizer of MurmurHash3. */
function hash(text: string, basis: number): number {
  let value = basis;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

/**
 * Strings in order of their UTF-16 code units, as a list of small sorted leaves.
 *
 * What can go wrong: one flat array would move everything when a delay namespace with 100,000 entries loses its
 * head. Promise: insert, remove and seek move at most one leaf of 512 keys and search the rest by bisection.
 */

const leafCapacity = 512;

export class SortedKeys {
  /** No leaf is ever empty. */
  readonly #leaves: string[][] = [];

  /** Takes keys in any order, without duplicates. */
  static from(keys: Iterable<string>): SortedKeys {
    const sorted = new SortedKeys();
    const all = [...keys].sort(compareCodeUnits);
    for (let from = 0; from < all.length; from += leafCapacity) {
      sorted.#leaves.push(all.slice(from, from + leafCapacity));
    }
    return sorted;
  }

  /** No effect when the key is there. */
  insert(key: string): void {
    const last = this.#leaves[this.#leaves.length - 1];
    if (last === undefined) {
      this.#leaves.push([key]);
      return;
    }
    const lastKey = last[last.length - 1];
    if (lastKey !== undefined && key > lastKey) {
      // Keys that grow with time are appended; full leaves stay full instead of being split in half.
      if (last.length < leafCapacity) last.push(key);
      else this.#leaves.push([key]);
      return;
    }
    const leafIndex = this.#leafFor(key);
    const leaf = this.#leaves[leafIndex] as string[];
    const at = lowerBound(leaf, key);
    if (leaf[at] === key) return;
    leaf.splice(at, 0, key);
    if (leaf.length > leafCapacity) this.#leaves.splice(leafIndex + 1, 0, leaf.splice(leafCapacity >> 1));
  }

  /** No effect when the key is not there. */
  remove(key: string): void {
    const leafIndex = this.#leafFor(key);
    const leaf = this.#leaves[leafIndex];
    if (leaf === undefined) return;
    const at = lowerBound(leaf, key);
    if (leaf[at] !== key) return;
    leaf.splice(at, 1);
    if (leaf.length === 0) this.#leaves.splice(leafIndex, 1);
  }

  /** Keys greater than `after` (all of them when undefined), in order. The set must not change meanwhile. */
  *after(after: string | undefined): Generator<string> {
    let leafIndex = after === undefined ? 0 : this.#leafFor(after);
    let at = 0;
    if (after !== undefined) {
      const leaf = this.#leaves[leafIndex];
      if (leaf !== undefined) {
        at = lowerBound(leaf, after);
        if (leaf[at] === after) at++;
      }
    }
    for (; leafIndex < this.#leaves.length; leafIndex++, at = 0) {
      const leaf = this.#leaves[leafIndex] as string[];
      for (; at < leaf.length; at++) yield leaf[at] as string;
    }
  }

  /** The first leaf whose last key is not below `key`; one past the end when there is none. */
  #leafFor(key: string): number {
    let low = 0;
    let high = this.#leaves.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const leaf = this.#leaves[middle] as string[];
      if ((leaf[leaf.length - 1] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compareCodeUnits(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function lowerBound(leaf: readonly string[], key: string): number {
  let low = 0;
  let high = leaf.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((leaf[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The entries of one namespace by key: an index into the slabs, from the key's hash to its record.
 *
 * What can go wrong: a hash table that grows in one go stops everything else, for 100 ms at a million entries. This
 * one is made of leaves of at most 4,096 places, each of which is split in two when it is full, and a directory that
 * leads from the low bits of the hash to the leaf (extendible hashing, Fagin et al. 1979). Promise: an insertion
 * moves at most one leaf. A leaf's places are pairs of hash and address + 1, found by linear probing from the high
 * bits of the hash; a removal moves later ones up, so that no place is wasted. Hashes are salted: nobody outside can
 * aim for one place.
 */
import { randomInt } from "node:crypto";
import type { Address, EntrySlabs } from "./entry-slabs.ts";

interface Leaf {
  /** So many low bits of the hash are the same for all of the leaf. */
  readonly depth: number;
  places: Uint32Array;
  used: number;
}

/** Hears of each record that a put wrote. */
export interface RecordChanges {
  /** It is new at its address. */
  added(address: Address): void;
  /** It was there, with another value and maybe time of expiry. */
  replaced(address: Address, expiredAtMsBefore: number): void;
}

const smallestLeaf = 8;
const largestLeaf = 4_096;
const deepest = 16;
const fullAt = 0.75;
const salt = randomInt(2 ** 32);

export class EntryTable {
  readonly owner: number;
  readonly #slabs: EntrySlabs;
  /** As many as 2 to the power of the deepest leaf's depth; a shallower leaf stands there several times. */
  #directory: Leaf[] = [createLeaf(0, smallestLeaf)];
  #size = 0;

  /** `owner` is kept with each record, and tells whose it is. */
  constructor(slabs: EntrySlabs, owner: number) {
    this.#slabs = slabs;
    this.owner = owner;
  }

  get size(): number {
    return this.#size;
  }

  find(key: string): Address | undefined {
    const hash = hashOf(key);
    const leaf = this.#leafOf(hash);
    const place = this.#placeOf(leaf, hash, key);
    return place < 0 ? undefined : (leaf.places[place * 2 + 1] as number) - 1;
  }

  put(key: string, value: Buffer, expiresAtMs: number, changed: RecordChanges): void {
    const hash = hashOf(key);
    const leaf = this.#leafOf(hash);
    const place = this.#placeOf(leaf, hash, key);
    if (place < 0) {
      const address = this.#slabs.add(this.owner, key, value, expiresAtMs);
      this.#insert(hash, address);
      this.#size++;
      changed.added(address);
      return;
    }
    const before = (leaf.places[place * 2 + 1] as number) - 1;
    const beforeMs = this.#slabs.expiryMsOf(before);
    const after = this.#slabs.replace(before, value, expiresAtMs);
    if (after === before) {
      changed.replaced(after, beforeMs);
    } else {
      leaf.places[place * 2 + 1] = after + 1;
      changed.added(after);
    }
  }

  /** False where it was not there. */
  delete(key: string): boolean {
    const hash = hashOf(key);
    const leaf = this.#leafOf(hash);
    const place = this.#placeOf(leaf, hash, key);
    if (place < 0) return false;
    this.#slabs.remove((leaf.places[place * 2 + 1] as number) - 1);
    closeGap(leaf, place);
    leaf.used--;
    this.#size--;
    return true;
  }

  /** In no order. The table must not change meanwhile. */
  *keys(): Generator<string> {
    for (const leaf of new Set(this.#directory)) {
      for (let at = 1; at < leaf.places.length; at += 2) {
        const stored = leaf.places[at] as number;
        if (stored !== 0) yield this.#slabs.keyOf(stored - 1);
      }
    }
  }

  #leafOf(hash: number): Leaf {
    return this.#directory[hash & (this.#directory.length - 1)] as Leaf;
  }

  /** Negative where the key is not there. */
  #placeOf({ places }: Leaf, hash: number, key: string): number {
    const mask = (places.length >> 1) - 1;
    for (let place = homeOf(hash, mask); ; place = (place + 1) & mask) {
      const stored = places[place * 2 + 1] as number;
      if (stored === 0) return -1;
      if (places[place * 2] === hash && this.#slabs.hasKey(stored - 1, key)) return place;
    }
  }

  #insert(hash: number, address: Address): void {
    let leaf = this.#leafOf(hash);
    while (leaf.used + 1 > (leaf.places.length >> 1) * fullAt) {
      this.#grow(leaf);
      leaf = this.#leafOf(hash);
    }
    settle(leaf, hash, address + 1);
  }

  #grow(leaf: Leaf): void {
    if (leaf.places.length >> 1 < largestLeaf || leaf.depth === deepest) {
      const { places } = leaf;
      leaf.places = new Uint32Array(places.length * 2);
      leaf.used = 0;
      for (let at = 0; at < places.length; at += 2) {
        if (places[at + 1] !== 0) settle(leaf, places[at] as number, places[at + 1] as number);
      }
      return;
    }
    this.#split(leaf);
  }

  #split(leaf: Leaf): void {
    const bit = 2 ** leaf.depth;
    if (this.#directory.length === bit) this.#directory = [...this.#directory, ...this.#directory];
    const halves = [createLeaf(leaf.depth + 1, largestLeaf), createLeaf(leaf.depth + 1, largestLeaf)] as const;
    for (let at = 0; at < leaf.places.length; at += 2) {
      const hash = leaf.places[at] as number;
      if (leaf.places[at + 1] !== 0) settle(halves[(hash & bit) === 0 ? 0 : 1], hash, leaf.places[at + 1] as number);
    }
    for (let index = 0; index < this.#directory.length; index++) {
      if (this.#directory[index] === leaf) this.#directory[index] = halves[(index & bit) === 0 ? 0 : 1];
    }
  }
}

function createLeaf(depth: number, places: number): Leaf {
  return { depth, places: new Uint32Array(places * 2), used: 0 };
}

/** Into a leaf with room. */
function settle(leaf: Leaf, hash: number, stored: number): void {
  const { places } = leaf;
  const mask = (places.length >> 1) - 1;
  let at = homeOf(hash, mask);
  while (places[at * 2 + 1] !== 0) at = (at + 1) & mask;
  places[at * 2] = hash;
  places[at * 2 + 1] = stored;
  leaf.used++;
}

/** Moves those behind the gap up that would no longer be found behind it. */
function closeGap({ places }: Leaf, from: number): void {
  const mask = (places.length >> 1) - 1;
  let gap = from;
  for (let at = (gap + 1) & mask; places[at * 2 + 1] !== 0; at = (at + 1) & mask) {
    const home = homeOf(places[at * 2] as number, mask);
    if (((at - home) & mask) < ((at - gap) & mask)) continue;
    places[gap * 2] = places[at * 2] as number;
    places[gap * 2 + 1] = places[at * 2 + 1] as number;
    gap = at;
  }
  places[gap * 2 + 1] = 0;
}

/** The directory takes the low bits. */
function homeOf(hash: number, mask: number): number {
  return ((hash >>> 16) | (hash << 16)) & mask;
}

/** Murmur3's mixing over UTF-16 code units. Unsigned, 32 bits. */
function hashOf(key: string): number {
  let hash = salt;
  for (let index = 0; index < key.length; index++) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0xcc9e2d51);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

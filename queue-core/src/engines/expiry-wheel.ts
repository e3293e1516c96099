/**
 * Which entries expire when, by the second.
 *
 * What can go wrong: half a million entries that expire in one second, freed in one go, would hold up everything
 * else for a second; an entry that is written again and again, noted each time, would leave a trail behind. Promises:
 * a call frees no more than its share; an entry is noted once: one that now expires later is noted anew when its
 * note comes due. What its record keeps ("so many seconds too early") tells its own note from one that an earlier
 * record left at the same address.
 */
import type { Address, EntrySlabs } from "./entry-slabs.ts";

const bucketMs = 1_000;
const mostEarly = 0xffff;
const closeBy = 64;

/** In a turn in which commits follow each other closely, and at most, after a rest. Each costs about 0.2 µs. */
const share = { leastEntries: 32, perMs: 512, mostEntries: 8_192 };

export class ExpiryWheel {
  readonly #slabs: EntrySlabs;
  readonly #buckets = new Map<number, Address[]>();
  /** No bucket lies before this one. */
  #earliest = Number.POSITIVE_INFINITY;
  #sweptAtMs = 0;

  constructor(slabs: EntrySlabs) {
    this.#slabs = slabs;
  }

  /** A record that is new at its address. */
  note(address: Address): void {
    const bucket = this.#bucketOf(address);
    if (bucket === Number.POSITIVE_INFINITY) return;
    this.#slabs.setEarliness(address, 0);
    this.#push(bucket, address);
  }

  /** A record that has another time of expiry than before, at the same address. */
  noteChange(address: Address, beforeMs: number): void {
    const bucket = this.#bucketOf(address);
    if (bucket === Number.POSITIVE_INFINITY) return;
    const noted = bucketOfMs(beforeMs) - this.#slabs.earlinessOf(address);
    if (noted === Number.POSITIVE_INFINITY || noted > bucket || bucket - noted > mostEarly) this.note(address);
    else this.#slabs.setEarliness(address, bucket - noted);
  }

  /** Hands over records that expired by `nowMs`, some of them in this call and the rest in later ones. */
  sweep(nowMs: number, free: (address: Address) => void): void {
    const due = Math.floor(nowMs / bucketMs);
    if (this.#earliest > due) return;
    const sinceMs = Math.max(0, nowMs - this.#sweptAtMs);
    this.#sweptAtMs = nowMs;
    let left = Math.min(share.mostEntries, Math.max(share.leastEntries, sinceMs * share.perMs));
    for (; left > 0 && this.#earliest <= due; left--) {
      const address = this.#buckets.get(this.#earliest)?.pop();
      if (address === undefined) this.#dropEarliest();
      else this.#meet(address, free);
    }
  }

  #meet(address: Address, free: (address: Address) => void): void {
    if (!this.#slabs.isRecord(address)) return;
    const bucket = this.#bucketOf(address);
    if (bucket - this.#slabs.earlinessOf(address) !== this.#earliest) return;
    if (bucket === this.#earliest) free(address);
    else this.note(address);
  }

  /** One bucket later than the expiry, so that whatever lies in a due bucket has expired for certain. */
  #bucketOf(address: Address): number {
    return bucketOfMs(this.#slabs.expiryMsOf(address));
  }

  #push(bucket: number, address: Address): void {
    const noted = this.#buckets.get(bucket);
    if (noted === undefined) this.#buckets.set(bucket, [address]);
    else noted.push(address);
    if (bucket < this.#earliest) this.#earliest = bucket;
  }

  /** The next one is close by as a rule; where it is not, there are few. */
  #dropEarliest(): void {
    const dropped = this.#earliest;
    this.#buckets.delete(dropped);
    for (let next = dropped + 1; next <= dropped + closeBy; next++) {
      if (!this.#buckets.has(next)) continue;
      this.#earliest = next;
      return;
    }
    let earliest = Number.POSITIVE_INFINITY;
    for (const bucket of this.#buckets.keys()) if (bucket < earliest) earliest = bucket;
    this.#earliest = earliest;
  }
}

function bucketOfMs(expiresAtMs: number): number {
  return Math.floor(expiresAtMs / bucketMs) + 1;
}

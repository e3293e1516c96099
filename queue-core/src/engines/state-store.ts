/**
 * Keyed state: namespaces of entries with an expiry, as readers see it, and what commits under way will change.
 *
 * What can go wrong: an expectation checked only against what is visible would let two commits in flight both
 * create the same entry; entries that nobody reads again would stay in memory for ever. Promises: `isPresent`
 * sees reserved writes, readers do not; an expired entry reads as absent at once and is freed within a few
 * seconds of further commits; scans are in key order and cost what they return.
 */
import type { Namespace, StateEntry, StateWrite } from "../engine.ts";
import { SortedKeys } from "./sorted-keys.ts";

interface Entry {
  readonly value: Buffer;
  readonly expiresAtMs: number;
}

interface NamespaceEntries {
  readonly entries: Map<string, Entry>;
  /** Built by the first scan: most namespaces are never scanned. */
  index: SortedKeys | undefined;
}

interface ReservedWrite {
  readonly sequence: number;
  readonly present: boolean;
  readonly expiresAtMs: number;
}

interface Expiring {
  readonly namespace: Namespace;
  readonly key: string;
}

const sweepBucketMs = 1000;

export class StateStore {
  readonly #namespaces = new Map<Namespace, NamespaceEntries>();
  readonly #reserved = new Map<Namespace, Map<string, ReservedWrite>>();
  /** Entries by the second in which they expire; an entry that was overwritten since is skipped. */
  readonly #expiring = new Map<number, Expiring[]>();
  #nextSweepMs = Number.POSITIVE_INFINITY;
  #size = 0;

  /** Entries kept, expired ones that were not swept yet included. */
  get size(): number {
    return this.#size;
  }

  /** With the reserved writes of commits under way. */
  isPresent(namespace: Namespace, key: string, nowMs: number): boolean {
    const reserved = this.#reserved.get(namespace)?.get(key);
    if (reserved !== undefined) return reserved.present && reserved.expiresAtMs > nowMs;
    return this.read(namespace, key, nowMs) !== undefined;
  }

  read(namespace: Namespace, key: string, nowMs: number): Buffer | undefined {
    const entry = this.#namespaces.get(namespace)?.entries.get(key);
    return entry !== undefined && entry.expiresAtMs > nowMs ? entry.value : undefined;
  }

  scan(
    namespace: Namespace,
    options: { readonly after?: string; readonly before?: string; readonly limit: number },
    nowMs: number,
  ): StateEntry[] {
    const found: StateEntry[] = [];
    const space = this.#namespaces.get(namespace);
    if (space === undefined || options.limit <= 0) return found;
    space.index ??= SortedKeys.from(space.entries.keys());
    for (const key of space.index.after(options.after)) {
      if (options.before !== undefined && key >= options.before) break;
      const entry = space.entries.get(key) as Entry;
      if (entry.expiresAtMs <= nowMs) continue;
      found.push({ key, value: entry.value });
      if (found.length >= options.limit) break;
    }
    return found;
  }

  /** Later expectations count with these writes, readers do not yet. */
  reserve(writes: readonly StateWrite[], sequence: number): void {
    for (const write of writes) {
      let space = this.#reserved.get(write.namespace);
      if (space === undefined) {
        space = new Map();
        this.#reserved.set(write.namespace, space);
      }
      const expiresAtMs = write.expiresAtMs ?? Number.POSITIVE_INFINITY;
      space.set(write.key, { sequence, present: write.value !== null, expiresAtMs });
    }
  }

  /** Makes a write visible that no commit reserved, as a restart does. */
  restore(write: StateWrite): void {
    this.#write(write);
  }

  /** Makes the writes visible; their reservations end unless a later commit has reserved the same entry. */
  apply(writes: readonly StateWrite[], sequence: number): void {
    for (const write of writes) {
      this.#write(write);
      const reserved = this.#reserved.get(write.namespace);
      if (reserved?.get(write.key)?.sequence !== sequence) continue;
      reserved.delete(write.key);
      if (reserved.size === 0) this.#reserved.delete(write.namespace);
    }
  }

  dropReservations(): void {
    this.#reserved.clear();
  }

  /** Frees entries that expired by `nowMs`. */
  sweep(nowMs: number): void {
    if (nowMs < this.#nextSweepMs) return;
    const dueBucket = Math.floor(nowMs / sweepBucketMs);
    let earliest = Number.POSITIVE_INFINITY;
    for (const [bucket, expiring] of this.#expiring) {
      if (bucket > dueBucket) {
        earliest = Math.min(earliest, bucket);
        continue;
      }
      this.#expiring.delete(bucket);
      for (const { namespace, key } of expiring) {
        const entry = this.#namespaces.get(namespace)?.entries.get(key);
        if (entry !== undefined && entry.expiresAtMs <= nowMs) this.#delete(namespace, key);
      }
    }
    this.#nextSweepMs = earliest * sweepBucketMs;
  }

  #write(write: StateWrite): void {
    if (write.value === null) {
      this.#delete(write.namespace, write.key);
      return;
    }
    let space = this.#namespaces.get(write.namespace);
    if (space === undefined) {
      space = { entries: new Map(), index: undefined };
      this.#namespaces.set(write.namespace, space);
    }
    const sizeBefore = space.entries.size;
    const expiresAtMs = write.expiresAtMs ?? Number.POSITIVE_INFINITY;
    space.entries.set(write.key, { value: write.value, expiresAtMs });
    if (space.entries.size > sizeBefore) {
      this.#size++;
      space.index?.insert(write.key);
    }
    if (expiresAtMs !== Number.POSITIVE_INFINITY) this.#expireLater(write.namespace, write.key, expiresAtMs);
  }

  #expireLater(namespace: Namespace, key: string, expiresAtMs: number): void {
    // One bucket later than the expiry, so that whatever lies in a due bucket has expired for certain.
    const bucket = Math.floor(expiresAtMs / sweepBucketMs) + 1;
    const expiring = this.#expiring.get(bucket);
    if (expiring === undefined) this.#expiring.set(bucket, [{ namespace, key }]);
    else expiring.push({ namespace, key });
    this.#nextSweepMs = Math.min(this.#nextSweepMs, bucket * sweepBucketMs);
  }

  #delete(namespace: Namespace, key: string): void {
    const space = this.#namespaces.get(namespace);
    if (space === undefined || !space.entries.delete(key)) return;
    this.#size--;
    if (space.entries.size === 0) this.#namespaces.delete(namespace);
    else space.index?.remove(key);
  }
}

/**
 * Keyed state: namespaces of entries with an expiry, as readers see it, and what commits under way will change.
 *
 * What can go wrong: an expectation checked only against what is visible would let two commits in flight both
 * create the same entry; entries that nobody reads again would stay in memory for ever. Promises: `isPresent`
 * sees reserved writes, readers do not; an expired entry reads as absent at once and is freed as commits go on, a
 * few thousand at a time; scans are in key order and cost what they return. Entries are packed (entry-slabs.ts), so
 * that a million of them of 120 bytes take about 200 MB and nothing of the garbage collector's time.
 */
import type { Namespace, StateEntry, StateWrite } from "../engine.ts";
import { type Address, EntrySlabs } from "./entry-slabs.ts";
import { EntryTable, type RecordChanges } from "./entry-table.ts";
import { ExpiryWheel } from "./expiry-wheel.ts";
import { SortedKeys } from "./sorted-keys.ts";

interface NamespaceEntries {
  readonly name: Namespace;
  readonly table: EntryTable;
  /** Built by the first scan: most namespaces are never scanned. */
  index: SortedKeys | undefined;
}

interface ReservedWrite {
  readonly sequence: number;
  readonly present: boolean;
  readonly expiresAtMs: number;
}

export class StateStore {
  readonly #slabs = new EntrySlabs();
  readonly #expiry = new ExpiryWheel(this.#slabs);
  readonly #namespaces = new Map<Namespace, NamespaceEntries>();
  /** By the number that their records carry. */
  readonly #byOwner: (NamespaceEntries | undefined)[] = [];
  readonly #freeOwners: number[] = [];
  readonly #reserved = new Map<Namespace, Map<string, ReservedWrite>>();
  readonly #changed: RecordChanges = {
    added: (address) => this.#expiry.note(address),
    replaced: (address, beforeMs) => this.#expiry.noteChange(address, beforeMs),
  };
  readonly #free = (address: Address) => {
    const space = this.#byOwner[this.#slabs.ownerOf(address)] as NamespaceEntries;
    this.#delete(space.name, this.#slabs.keyOf(address));
  };
  #size = 0;

  /** Entries kept, expired ones that were not freed yet included. */
  get size(): number {
    return this.#size;
  }

  /** Entries of one namespace, likewise. */
  count(namespace: Namespace): number {
    return this.#namespaces.get(namespace)?.table.size ?? 0;
  }

  /** With the reserved writes of commits under way. */
  isPresent(namespace: Namespace, key: string, nowMs: number): boolean {
    const reserved = this.#reserved.get(namespace)?.get(key);
    if (reserved !== undefined) return reserved.present && reserved.expiresAtMs > nowMs;
    return this.#find(namespace, key, nowMs) !== undefined;
  }

  read(namespace: Namespace, key: string, nowMs: number): Buffer | undefined {
    const address = this.#find(namespace, key, nowMs);
    return address === undefined ? undefined : this.#slabs.valueOf(address);
  }

  scan(
    namespace: Namespace,
    options: { readonly after?: string; readonly before?: string; readonly limit: number },
    nowMs: number,
  ): StateEntry[] {
    const found: StateEntry[] = [];
    const space = this.#namespaces.get(namespace);
    if (space === undefined || options.limit <= 0) return found;
    space.index ??= SortedKeys.from(space.table.keys());
    for (const key of space.index.after(options.after)) {
      if (options.before !== undefined && key >= options.before) break;
      const value = this.read(namespace, key, nowMs);
      if (value === undefined) continue;
      found.push({ key, value });
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

  /** Makes a write visible that no commit reserved, as a restart does. The value is copied. */
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

  /** Frees entries that expired by `nowMs`: some now, the rest in later calls. */
  sweep(nowMs: number): void {
    this.#expiry.sweep(nowMs, this.#free);
  }

  #find(namespace: Namespace, key: string, nowMs: number): Address | undefined {
    const address = this.#namespaces.get(namespace)?.table.find(key);
    return address !== undefined && this.#slabs.expiryMsOf(address) > nowMs ? address : undefined;
  }

  #write(write: StateWrite): void {
    if (write.value === null) {
      this.#delete(write.namespace, write.key);
      return;
    }
    const space = this.#namespaces.get(write.namespace) ?? this.#addNamespace(write.namespace);
    const { table } = space;
    const sizeBefore = table.size;
    table.put(write.key, write.value, write.expiresAtMs ?? Number.POSITIVE_INFINITY, this.#changed);
    if (table.size === sizeBefore) return;
    this.#size++;
    space.index?.insert(write.key);
  }

  #addNamespace(name: Namespace): NamespaceEntries {
    const owner = this.#freeOwners.pop() ?? this.#byOwner.length;
    const space = { name, table: new EntryTable(this.#slabs, owner), index: undefined };
    this.#byOwner[owner] = space;
    this.#namespaces.set(name, space);
    return space;
  }

  #delete(namespace: Namespace, key: string): void {
    const space = this.#namespaces.get(namespace);
    if (space === undefined || !space.table.delete(key)) return;
    this.#size--;
    if (space.table.size > 0) {
      space.index?.remove(key);
      return;
    }
    this.#namespaces.delete(namespace);
    this.#byOwner[space.table.owner] = undefined;
    this.#freeOwners.push(space.table.owner);
  }
}

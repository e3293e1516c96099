/**
 * One file: what the page cache shows, and what lies on the platter. simulated-disk.ts states the fault model.
 *
 * What can go wrong: a copy that is taken too early or too late would make the disk kinder than a real one. Promises:
 * readers see the cache alone; the platter changes by `flush`, by a sector written back now and then, and at power
 * loss; what was never written, or cut off, reads as zeros.
 */
import type { Random } from "./random.ts";

export const sectorBytes = 512;

/** Where a file gets its chance from, and how eagerly the system writes back by itself. */
export interface WriteBack {
  readonly random: Random;
  /** How likely a change finds that the one before it was written back in part. */
  readonly chance: number;
}

/** What becomes of unsynced sectors and sizes when the power goes. */
export interface PowerLoss {
  readonly random: Random;
  /** How likely each unsynced sector, size and directory entry is to have reached the platter. */
  readonly survival: number;
}

export class SimulatedFile {
  #cache = Buffer.alloc(0);
  #platter = Buffer.alloc(0);
  #size = 0;
  #platterSize = 0;
  /** One byte a sector: 1 where the cache is newer than the platter. */
  #dirty = new Uint8Array(0);
  /** One byte a sector: 1 where it has room on the disk. */
  #allocated = new Uint8Array(0);
  #allocatedSectors = 0;
  /** One byte a sector: 1 where the platter has something of this file. */
  #onPlatter = new Uint8Array(0);

  get size(): number {
    return this.#size;
  }

  get allocatedBytes(): number {
    return this.#allocatedSectors * sectorBytes;
  }

  /** What a write there would add to `allocatedBytes`. */
  growthOf(position: number, length: number): number {
    let growth = 0;
    const end = Math.ceil((position + length) / sectorBytes);
    for (let sector = Math.floor(position / sectorBytes); sector < end; sector++) {
      if (this.#allocated[sector] !== 1) growth += sectorBytes;
    }
    return growth;
  }

  /** The bytes read; fewer than asked for only at the end of the file. */
  read(into: Buffer, position: number): number {
    const length = Math.max(0, Math.min(into.length, this.#size - position));
    this.#cache.copy(into, 0, position, position + length);
    return length;
  }

  write(bytes: Uint8Array, position: number, writeBack: WriteBack): void {
    const end = position + bytes.length;
    this.#reserve(end);
    this.#writeBackSome(writeBack);
    this.#cache.set(bytes, position);
    this.#size = Math.max(this.#size, end);
    this.#allocate(Math.floor(position / sectorBytes), Math.ceil(end / sectorBytes), 1);
    this.#markDirty(position, end);
  }

  truncate(size: number, writeBack: WriteBack): void {
    const before = this.#size;
    this.#reserve(size);
    this.#writeBackSome(writeBack);
    this.#allocate(Math.ceil(size / sectorBytes), this.#allocated.length, 0);
    if (size < before) this.#cache.fill(0, size, before);
    this.#size = size;
    this.#markDirty(Math.min(size, before), Math.max(size, before));
  }

  /** Content and size are durable then. */
  flush(): void {
    for (let sector = 0; sector < this.#dirty.length; sector++) if (this.#dirty[sector] === 1) this.#writeBack(sector);
    this.#platterSize = this.#size;
  }

  /** Some of it reaches the platter, the rest may follow later. */
  flushSome(loss: PowerLoss): void {
    this.#flushByChance(loss, "stays dirty");
  }

  /**
   * As Linux does when a sync fails: some sectors reached the platter, and all count as clean. The cache shows what
   * was written, no later sync writes it again, and at power loss it is gone.
   */
  flushFailed(loss: PowerLoss): void {
    this.#flushByChance(loss, "counts as clean");
  }

  /** What is left after power loss is what the next start finds. */
  losePower(loss: PowerLoss): void {
    this.#flushByChance(loss, "counts as clean");
    this.#platter.fill(0, this.#platterSize);
    this.#onPlatter.fill(0, Math.ceil(this.#platterSize / sectorBytes));
    this.#size = this.#platterSize;
    this.#cache.fill(0);
    this.#platter.copy(this.#cache);
    this.#dirty.fill(0);
    this.#allocated.set(this.#onPlatter);
    this.#allocatedSectors = this.#allocated.reduce((sum, one) => sum + one, 0);
  }

  /** The system writes back when it likes: what is about to change may be on the platter as it is now. */
  #writeBackSome({ random, chance }: WriteBack): void {
    if (random.chance(chance)) this.#flushByChance({ random, survival: random.next() }, "stays dirty");
  }

  #flushByChance({ random, survival }: PowerLoss, rest: "stays dirty" | "counts as clean"): void {
    for (let sector = 0; sector < this.#dirty.length; sector++) {
      if (this.#dirty[sector] !== 1) continue;
      if (random.chance(survival)) this.#writeBack(sector);
      else if (rest === "counts as clean") this.#dirty[sector] = 0;
    }
    // By a coin of its own: a file can have its size and nothing of its content.
    if (this.#platterSize === this.#size || !random.chance(survival > 0 && survival < 1 ? 0.5 : survival)) return;
    const grownBy = this.#size - this.#platterSize;
    // A file grows page by page, so that a part of the new size can be there; cutting is one step.
    this.#platterSize = grownBy > 0 && random.chance(0.5) ? this.#platterSize + random.below(grownBy) : this.#size;
  }

  #writeBack(sector: number): void {
    const start = sector * sectorBytes;
    this.#cache.copy(this.#platter, start, start, start + sectorBytes);
    this.#dirty[sector] = 0;
    // Of a hole nothing is there.
    this.#onPlatter[sector] = this.#allocated[sector] as number;
  }

  #allocate(from: number, end: number, is: 0 | 1): void {
    for (let sector = from; sector < end; sector++) {
      if (this.#allocated[sector] === is) continue;
      this.#allocated[sector] = is;
      this.#allocatedSectors += is === 1 ? 1 : -1;
    }
  }

  #markDirty(start: number, end: number): void {
    if (end > start) this.#dirty.fill(1, Math.floor(start / sectorBytes), Math.ceil(end / sectorBytes));
  }

  #reserve(size: number): void {
    if (size <= this.#cache.length) return;
    const length = Math.ceil(Math.max(size, this.#cache.length * 2, 8 * sectorBytes) / sectorBytes) * sectorBytes;
    this.#cache = grown(this.#cache, length);
    this.#platter = grown(this.#platter, length);
    const flags = (before: Uint8Array) => {
      const larger = new Uint8Array(length / sectorBytes);
      larger.set(before);
      return larger;
    };
    this.#dirty = flags(this.#dirty);
    this.#allocated = flags(this.#allocated);
    this.#onPlatter = flags(this.#onPlatter);
  }
}

function grown(bytes: Buffer<ArrayBuffer>, length: number): Buffer<ArrayBuffer> {
  const larger = Buffer.alloc(length);
  bytes.copy(larger);
  return larger;
}

/**
 * Room kept back for acknowledgements: a file `reserve` that is given up once the disk is full.
 *
 * What can go wrong: a file with holes is a promise without room behind it, and so is one whose blocks are only
 * allotted when the system writes it back, or one of zeros where the file system compresses. Another program may
 * take the room as soon as it is given up: then acknowledgements are refused too, until there is room again.
 * Promises: the file has its name only once all of its bytes, which compress to nothing smaller, were written and
 * synced; a `make` that found no room leaves nothing behind. Its name need not survive a crash: the next start
 * makes what is missing.
 */
import { join } from "node:path";
import { unfinishedSuffix } from "../format/layout.ts";
import { type Disk, type DiskFile, isFull } from "./disk.ts";

export const reserveFileName = "reserve";
/** Compressing file systems look at 128 KiB at a time: a repetition beyond that saves them nothing. */
const chunkBytes = 256 * 1024;

export interface ReserveSettings {
  readonly directory: string;
  readonly bytes: number;
}

export class Reserve {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #bytes: number;

  constructor(disk: Disk, { directory, bytes }: ReserveSettings) {
    this.#disk = disk;
    this.#path = join(directory, reserveFileName);
    this.#bytes = bytes;
  }

  /** Keeps what is there whole, makes it otherwise; false when there is no room. Throws what else goes wrong. */
  make(): boolean {
    if (this.#isThere()) return true;
    const unfinishedPath = this.#path + unfinishedSuffix;
    try {
      this.#write(unfinishedPath);
      this.#disk.rename(unfinishedPath, this.#path);
      return true;
    } catch (error) {
      this.#removeIfThere(unfinishedPath);
      if (isFull(error)) return false;
      throw error;
    }
  }

  /** True when there was something to give up. */
  giveUp(): boolean {
    return this.#removeIfThere(this.#path);
  }

  #isThere(): boolean {
    let file: DiskFile;
    try {
      file = this.#disk.open(this.#path, "existing");
    } catch {
      return false;
    }
    const isWhole = file.size() === this.#bytes;
    file.close();
    // Another size was asked for before.
    if (!isWhole) this.#disk.remove(this.#path);
    return isWhole;
  }

  #write(path: string): void {
    this.#removeIfThere(path);
    const file = this.#disk.open(path, "create");
    try {
      const chunk = incompressible(Math.min(chunkBytes, this.#bytes));
      for (let position = 0; position < this.#bytes; position += chunk.length) {
        file.write(chunk.subarray(0, this.#bytes - position), position);
      }
      file.datasync("reserve");
    } finally {
      file.close();
    }
  }

  /** What cannot be removed gains no room, whatever the reason. */
  #removeIfThere(path: string): boolean {
    try {
      this.#disk.remove(path);
      return true;
    } catch {
      return false;
    }
  }
}

/** Xorshift: as good as random to a compressor, and the same in every run of a simulation. */
function incompressible(bytes: number): Buffer {
  const chunk = Buffer.allocUnsafe(bytes);
  let state = 0x9e3779b9;
  for (let at = 0; at < bytes; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    chunk[at] = state;
  }
  return chunk;
}

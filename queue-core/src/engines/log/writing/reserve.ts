/**
 * Room kept back for acknowledgements: a file `reserve` that is given up once the disk is full.
 *
 * What can go wrong: a file with holes is a promise without room behind it, and so is one whose blocks are only
 * allotted when the system writes it back, or one of zeros where the file system compresses. Another program may
 * take the room as soon as it is given up: then acknowledgements are refused too, until there is room again. This
 * program must not: a snapshot that was under way when the disk filled up would take it (simulated: all of it).
 * Promises: the file has its name only once all of its bytes, which compress to nothing smaller, were written and
 * synced; a `make` that found no room leaves nothing behind. Its name need not survive a crash: the next start
 * makes what is missing. A `RoomSign` tells all threads of the log, before the room is given up, whose it is.
 */
import { join } from "node:path";
import { unfinishedSuffix } from "../format/layout.ts";
import { type Disk, type DiskFile, isFull } from "./disk.ts";

export const reserveFileName = "reserve";
/** Compressing file systems look at 128 KiB at a time: a repetition beyond that saves them nothing. */
const chunkBytes = 256 * 1024;

/** Shared by the threads of a log: whether the room that is left belongs to acknowledgements. */
export class RoomSign {
  /** One i32: 1 since the reserve was given up. */
  readonly memory: SharedArrayBuffer;
  readonly #isGivenUp: Int32Array;

  constructor(memory = new SharedArrayBuffer(4)) {
    this.memory = memory;
    this.#isGivenUp = new Int32Array(memory);
  }

  /** Throws when a file that can wait may take no room. */
  assertRoom(): void {
    if (Atomics.load(this.#isGivenUp, 0) === 0) return;
    throw new Error("the disk is full, and what room is left belongs to acknowledgements");
  }

  reserveIs(state: "there" | "given up"): void {
    Atomics.store(this.#isGivenUp, 0, state === "there" ? 0 : 1);
  }
}

export interface ReserveSettings {
  readonly directory: string;
  readonly bytes: number;
  readonly sign?: RoomSign;
}

export class Reserve {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #bytes: number;
  readonly #sign: RoomSign;

  constructor(disk: Disk, { directory, bytes, sign = new RoomSign() }: ReserveSettings) {
    this.#disk = disk;
    this.#path = join(directory, reserveFileName);
    this.#bytes = bytes;
    this.#sign = sign;
  }

  /** Keeps what is there whole, makes it otherwise; false when there is no room. Throws what else goes wrong. */
  make(): boolean {
    const isMade = this.#isThere() || this.#isMade();
    if (isMade) this.#sign.reserveIs("there");
    return isMade;
  }

  /** True when there was something to give up. */
  giveUp(): boolean {
    this.#sign.reserveIs("given up");
    return this.#removeIfThere(this.#path);
  }

  #isMade(): boolean {
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

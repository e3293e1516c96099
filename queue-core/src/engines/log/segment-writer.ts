/**
 * Writes batches to the newest segment and makes them durable, one at a time.
 *
 * What can go wrong: the disk is full, or a write or sync fails. Promises:
 * - `written` only after the batch, and the segment's name where it began one, are synced.
 * - `full` only when nothing of the batch is left on disk; the next batch goes where this one would have gone.
 * - `failed` otherwise: nobody knows what is on disk, and nothing may be written after it. A failed sync is never
 *   repeated: the kernel may have dropped the pages and would call the second one a success.
 * - One batch, one sync: at a crash at most the last batch can be torn.
 */
import { join } from "node:path";
import { type Disk, type DiskFile, isFull } from "./disk.ts";
import { encodeSegmentHeader, sealBatch, segmentFileName, unfinishedSuffix } from "./layout.ts";
import { Reserve } from "./reserve.ts";

export interface WriteRequest {
  /** A whole batch without its CRC. */
  readonly batch: Buffer;
  /** Where it goes in the segment. */
  readonly position: number;
  /** Begin a new segment with this batch, which has this sequence. */
  readonly beginSegment: number | undefined;
}

export type WriteOutcome =
  | { readonly kind: "written" }
  /**
   * `segmentBegun`: the new segment is there, without the batch. `roomGained`: the reserve was there and was given
   * up, so that small commits have room.
   */
  | { readonly kind: "full"; readonly reason: string; readonly segmentBegun: boolean; readonly roomGained: boolean }
  | { readonly kind: "failed"; readonly reason: string };

export interface SegmentWriterSettings {
  readonly directory: string;
  readonly logId: Uint8Array;
  /** The newest segment, or undefined for a log that has none yet. */
  readonly fileName: string | undefined;
  /** Size of the reserve in bytes. */
  readonly reserveBytes: number;
}

export class SegmentWriter {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #logId: Uint8Array;
  readonly #reserve: Reserve;
  #file: DiskFile | undefined;

  constructor(disk: Disk, settings: SegmentWriterSettings) {
    this.#disk = disk;
    this.#directory = settings.directory;
    this.#logId = settings.logId;
    this.#reserve = new Reserve(disk, { directory: settings.directory, bytes: settings.reserveBytes });
    if (settings.fileName !== undefined)
      this.#file = disk.open(join(settings.directory, settings.fileName), "existing");
  }

  write(request: WriteRequest): WriteOutcome {
    if (request.beginSegment !== undefined) {
      const outcome = this.#beginSegment(request.beginSegment);
      if (outcome.kind !== "written") return outcome;
    }
    const file = this.#file;
    if (file === undefined) return { kind: "failed", reason: "there is no segment to write to" };
    sealBatch(request.batch, this.#logId);
    try {
      file.write(request.batch, request.position);
    } catch (error) {
      if (!isFull(error)) return failed("writing a batch", error);
      return this.#takeBack(file, request, error);
    }
    try {
      file.datasync("batch");
    } catch (error) {
      return failed("syncing a batch", error);
    }
    return { kind: "written" };
  }

  /** Whether there is room for the reserve again; then it is there. */
  makeReserve(): boolean {
    try {
      return this.#reserve.make();
    } catch {
      // No batch is touched by it, and the next one will meet what is wrong with this disk.
      return false;
    }
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  /** A segment gets its name once its header is synced: a file of that name always has a whole header. */
  #beginSegment(firstBatchSequence: number): WriteOutcome {
    const path = join(this.#directory, segmentFileName(firstBatchSequence));
    const unfinishedPath = path + unfinishedSuffix;
    let file: DiskFile | undefined;
    try {
      file = this.#disk.open(unfinishedPath, "create");
      file.write(encodeSegmentHeader(this.#logId, firstBatchSequence), 0);
      file.datasync("segment header");
      this.#disk.rename(unfinishedPath, path);
      this.#disk.syncDirectory(this.#directory, "segment name");
    } catch (error) {
      file?.close();
      if (!isFull(error)) return failed("beginning a segment", error);
      try {
        if (file !== undefined) this.#disk.remove(unfinishedPath);
        return this.#full(error, { segmentBegun: false });
      } catch (second) {
        return failed("removing an unfinished segment", second);
      }
    }
    this.#file?.close();
    this.#file = file;
    return { kind: "written" };
  }

  #takeBack(file: DiskFile, request: WriteRequest, cause: unknown): WriteOutcome {
    try {
      file.truncate(request.position);
      file.datasync("batch taken back");
    } catch (error) {
      return failed("taking back a batch from a full disk", error);
    }
    return this.#full(cause, { segmentBegun: request.beginSegment !== undefined });
  }

  #full(cause: unknown, { segmentBegun }: { readonly segmentBegun: boolean }): WriteOutcome {
    return { kind: "full", reason: textOf(cause), segmentBegun, roomGained: this.#reserve.giveUp() };
  }
}

function failed(what: string, error: unknown): WriteOutcome {
  return { kind: "failed", reason: `${what}: ${textOf(error)}` };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Reads every byte of a log directory and says of each file what it is and what is wrong with it.
 *
 * What can go wrong: start-up stops at the first damage; whoever has to save a log needs all of it. Promise: each
 * damaged place is named once, with file and byte offset, and what follows it is looked at too. What a crash or a
 * running writer leaves behind in good order (a torn tail, an unfinished file) is told, and is no damage.
 * Behind the first damage records are checked for what they are, no longer for what they follow from.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { type BatchVisitor, visitBatch } from "../src/engines/log/batch-decoder.ts";
import {
  type BatchHeader,
  decodeSegmentHeader,
  firstBatchSequenceOf,
  unfinishedSuffix,
} from "../src/engines/log/layout.ts";
import { liveOwnerOf } from "../src/engines/log/lock-file.ts";
import { LogFold } from "../src/engines/log/log-fold.ts";
import { PartitionMessages } from "../src/engines/log/partition-messages.ts";
import { reserveFileName } from "../src/engines/log/reserve.ts";
import { SegmentList } from "../src/engines/log/segment-list.ts";
import { LogOrder, readWhole, type SegmentPart, segmentParts } from "../src/engines/log/segment-scan.ts";
import { Model } from "../src/engines/model.ts";
import { QueueError } from "../src/errors.ts";
import { readOnlyDisk } from "./read-only-disk.ts";
import { counted } from "./table.ts";

export interface Damage {
  readonly file: string;
  readonly position: number;
  readonly what: string;
}

export interface InspectedFile {
  readonly file: string;
  readonly bytes: number;
  /** Only of segments. */
  readonly batches?: number;
  readonly commits?: number;
  readonly messages?: number;
  /** What it is, where it is neither sound nor damaged. */
  readonly note?: string;
  readonly damages: readonly Damage[];
}

export interface Inspection {
  readonly files: readonly InspectedFile[];
  readonly damages: readonly Damage[];
  readonly writerPid: number | null;
}

export async function inspectLog(directory: string): Promise<Inspection> {
  const writerPid = liveOwnerOf(directory);
  const names = readOnlyDisk.list(directory).sort();
  const segments = names.filter((name) => firstBatchSequenceOf(name) !== undefined);
  const inspector = new SegmentInspector(directory, writerPid);
  const files: InspectedFile[] = [];
  for (const name of names) {
    if (segments.includes(name)) files.push(await inspector.inspect(name, name === segments.at(-1)));
    else files.push(...otherFile(directory, name, writerPid));
  }
  return { files, damages: files.flatMap(({ damages }) => damages), writerPid: writerPid ?? null };
}

/** None where it went since it was listed: unfinished files come and go. */
function otherFile(directory: string, file: string, writerPid: number | undefined): InspectedFile[] {
  const status = statSync(join(directory, file), { throwIfNoEntry: false });
  return status === undefined ? [] : [{ file, bytes: status.size, note: noteOn(file, writerPid), damages: [] }];
}

function noteOn(file: string, writerPid: number | undefined): string {
  if (file.endsWith(unfinishedSuffix)) {
    return writerPid === undefined ? "unfinished, removed by the next start" : "being written";
  }
  if (file === reserveFileName) return "room kept for a full disk";
  if (file !== "lock") return "not of the log";
  return writerPid === undefined ? "of a process that is gone" : `of process ${writerPid}, which has the log open`;
}

class SegmentInspector {
  readonly #directory: string;
  readonly #writerPid: number | undefined;
  readonly #order = new LogOrder();
  /** Undefined once something is missing: what follows does not follow from it. */
  #fold: InspectionFold | undefined = new InspectionFold();
  #spare: Buffer | undefined;

  constructor(directory: string, writerPid: number | undefined) {
    this.#directory = directory;
    this.#writerPid = writerPid;
  }

  async inspect(file: string, isNewest: boolean): Promise<InspectedFile> {
    const read = await readWhole(readOnlyDisk, join(this.#directory, file), this.#spare);
    this.#spare = read.spare;
    const { bytes } = read;
    const report = new SegmentReport(file, bytes.length);
    const logId = this.#enter(bytes, report);
    if (logId === undefined) return report.end();
    for (const part of segmentParts(bytes, logId)) {
      if (part.kind === "batch") this.#inspectBatch(part, report);
      else if (isNewest && part.kind === "damaged" && part.end === bytes.length) report.note = this.#tornTail(part);
      else {
        const what =
          part.kind === "damaged"
            ? `${counted(part.end - part.position, "byte")} are no whole batch`
            : "a batch of a format that this version does not know";
        this.#damaged(report, part.position, what);
      }
    }
    return report.end();
  }

  /** The log id to read its batches by, from an earlier segment where its own header is damaged. */
  #enter(bytes: Buffer, report: SegmentReport): Uint8Array | undefined {
    const header = decodeSegmentHeader(bytes);
    if (typeof header === "string") {
      const what = header === "damaged" ? "the header is damaged" : "a format that this version does not know";
      this.#damaged(report, 0, what);
      return header === "damaged" ? this.#order.logId : undefined;
    }
    const misplaced = this.#order.enterSegment(header);
    if (misplaced !== undefined && this.#fold !== undefined) this.#damaged(report, 0, misplaced);
    return header.logId;
  }

  #inspectBatch({ bytes, header, position }: SegmentPart & { kind: "batch" }, report: SegmentReport): void {
    if (this.#fold === undefined) {
      this.#order.resumeAfter(header);
    } else {
      const outOfOrder = this.#order.enterBatch(header);
      if (outOfOrder !== undefined) {
        this.#damaged(report, position, outOfOrder);
        this.#order.resumeAfter(header);
      }
    }
    report.count(header);
    const counting: BatchVisitor = { message: () => report.messages++ };
    try {
      visitBatch(bytes, header, counting);
      this.#fold?.batch({ segment: 0, position }, header);
      if (this.#fold !== undefined) visitBatch(bytes, header, this.#fold);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof QueueError)) throw error;
      this.#damaged(report, position, `a record makes no sense: ${error.message}`);
    }
  }

  #damaged(report: SegmentReport, position: number, what: string): void {
    report.damages.push({ file: report.file, position, what });
    this.#fold = undefined;
  }

  #tornTail({ position, end }: { position: number; end: number }): string {
    const bytes = `${counted(end - position, "byte")} from byte ${position} on`;
    if (this.#writerPid !== undefined) return `${bytes} are being written`;
    return `torn tail: ${bytes} were never acknowledged, and are cut off by the next start`;
  }
}

class SegmentReport {
  readonly file: string;
  readonly damages: Damage[] = [];
  readonly #bytes: number;
  messages = 0;
  note: string | undefined;
  #batches = 0;
  #commits = 0;

  constructor(file: string, bytes: number) {
    this.file = file;
    this.#bytes = bytes;
  }

  count(header: BatchHeader): void {
    this.#batches++;
    this.#commits += header.commits;
  }

  end(): InspectedFile {
    return {
      file: this.file,
      bytes: this.#bytes,
      batches: this.#batches,
      commits: this.#commits,
      messages: this.messages,
      ...(this.note === undefined ? {} : { note: this.note }),
      damages: this.damages,
    };
  }
}

/** Follows offsets, topics and times; state entries are read, and not kept. */
class InspectionFold extends LogFold {
  constructor() {
    const model = new Model<PartitionMessages>({ now: () => 0, createStore: () => new PartitionMessages() });
    super(model, new SegmentList(Number.POSITIVE_INFINITY, model));
  }

  override put(): void {}
}

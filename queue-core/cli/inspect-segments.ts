/**
 * Reads every byte of the segments, oldest first.
 *
 * What can go wrong: start-up stops at the first damage; whoever has to save a log needs all of it. Promise: each
 * damaged place is named once, and what follows it is looked at too: batches are found again, their order is followed
 * from there, and behind the snapshot everything is checked against that. Only between damage and snapshot are records
 * checked for what they are alone, and not for what they follow from.
 */
import { join } from "node:path";
import { type BatchVisitor, visitBatch } from "../src/engines/log/format/batch-decoder.ts";
import { type BatchHeader, decodeSegmentHeader, type SegmentHeader } from "../src/engines/log/format/layout.ts";
import { LogOrder, readWhole, type SegmentPart, segmentParts } from "../src/engines/log/recovery/segment-scan.ts";
import { QueueError } from "../src/errors.ts";
import { differenceFrom, type SoundSnapshot } from "./inspect-snapshot.ts";
import type { Damage, InspectedFile } from "./inspection.ts";
import { InspectionFold } from "./inspection-fold.ts";
import { readOnlyDisk } from "./read-only-disk.ts";
import { counted } from "./table.ts";

export interface SegmentInspectorSettings {
  readonly directory: string;
  readonly writerPid: number | undefined;
  readonly snapshot: SoundSnapshot | undefined;
  /** Whether the first batch of the log is still there, so that everything can be folded. */
  readonly isFromTheStart: boolean;
}

/** `gap`: it says that segments before this one are missing, which is no damage if the log let them go. */
type FoundDamage = Damage & { readonly gap: boolean };

export interface InspectedSegment {
  readonly sequence: number;
  readonly report: Omit<InspectedFile, "damages"> & { readonly damages: readonly FoundDamage[] };
}

export class SegmentInspector {
  readonly #settings: SegmentInspectorSettings;
  #order: LogOrder;
  /** Whether the next batch is known to follow from the last one that was read. */
  #isInOrder: boolean;
  /** Undefined where what follows cannot be checked against what came before it. */
  #fold: InspectionFold | undefined;
  #spare: Buffer | undefined;
  #comparison: { readonly difference: string | undefined } | undefined;
  #metSnapshot = false;

  constructor(settings: SegmentInspectorSettings) {
    this.#settings = settings;
    const { isFromTheStart, snapshot } = settings;
    this.#order = new LogOrder();
    this.#isInOrder = isFromTheStart;
    this.#fold = isFromTheStart ? new InspectionFold(snapshot === undefined ? "dropped" : "kept") : undefined;
  }

  /** The oldest segment that the log needs, as far as its records can be followed to their end. */
  get oldestNeeded(): number | undefined {
    return this.#fold?.segments.oldest;
  }

  /** Whether the snapshot was compared with a fold of all before it, and in what it differs. */
  get comparison(): { readonly difference: string | undefined } | undefined {
    return this.#comparison;
  }

  /** Whether the segment with the first batch that is not in the snapshot was there. */
  get metSnapshot(): boolean {
    return this.#metSnapshot;
  }

  async inspect(file: string, sequence: number, place: "newest" | "sealed"): Promise<InspectedSegment> {
    const read = await readWhole(readOnlyDisk, join(this.#settings.directory, file), this.#spare);
    this.#spare = read.spare;
    const { bytes } = read;
    const report = new SegmentReport(file, sequence, bytes.length);
    await this.#meetSnapshot(sequence);
    const logId = this.#enter(bytes, report);
    if (logId === undefined) return report.end();
    for (const part of segmentParts(bytes, logId)) {
      if (part.kind === "hole" && place === "newest") continue;
      if (part.kind === "batch") this.#inspectBatch(part, report);
      else if (place === "newest" && part.kind === "damaged" && part.end === bytes.length) {
        report.note = this.#tornTail(part);
      } else this.#unreadable(part, report);
    }
    return report.end();
  }

  /** Everything before this segment is in the snapshot: they must say the same, and the snapshot is gone on from. */
  async #meetSnapshot(sequence: number): Promise<void> {
    const { snapshot } = this.#settings;
    if (snapshot?.header.nextBatchSequence !== sequence) return;
    this.#metSnapshot = true;
    if (this.#fold !== undefined) {
      this.#comparison = { difference: await differenceFrom(snapshot, this.#fold) };
      this.#fold.dropState();
    }
    if (this.#fold !== undefined && this.#comparison?.difference === undefined) return;
    const { nextBatchSequence, nextCommitSequence } = snapshot.header;
    const logId = Buffer.from(snapshot.header.logId);
    this.#order = new LogOrder({ logId, nextBatchSequence, nextCommitSequence });
    this.#isInOrder = true;
    this.#fold = snapshot.fold;
  }

  /** The log id to read its batches by; that of the others where its own header is damaged. */
  #enter(bytes: Buffer, report: SegmentReport): Uint8Array | undefined {
    const header = decodeSegmentHeader(bytes);
    if (typeof header === "string") {
      const what = header === "damaged" ? "the header is damaged" : "a format that this version does not know";
      this.#damaged(report, 0, what);
      return header === "damaged" ? this.#knownLogId() : undefined;
    }
    if (this.#isInOrder) this.#enterInOrder(header, report);
    else if (this.#knownLogId()?.equals(header.logId) === false) {
      this.#damaged(report, 8, "the segment belongs to another log");
    }
    return header.logId;
  }

  #enterInOrder(header: SegmentHeader, report: SegmentReport): void {
    const expected = this.#order.nextBatchSequence;
    const misplaced = this.#order.enterSegment(header);
    if (misplaced === undefined) return;
    const isGap = header.firstBatchSequence > expected;
    this.#damaged(report, 0, misplaced, isGap ? "gap" : "damage");
    this.#isInOrder = false;
  }

  #knownLogId(): Buffer | undefined {
    const ofSnapshot = this.#settings.snapshot?.header.logId;
    return this.#order.logId ?? (ofSnapshot === undefined ? undefined : Buffer.from(ofSnapshot));
  }

  #inspectBatch({ bytes, header, position }: SegmentPart & { kind: "batch" }, report: SegmentReport): void {
    const outOfOrder = this.#isInOrder ? this.#order.enterBatch(header) : report.misfitOf(header);
    if (outOfOrder !== undefined) this.#damaged(report, position, outOfOrder);
    if (outOfOrder !== undefined || !this.#isInOrder) this.#order.resumeAfter(header);
    this.#isInOrder = true;
    report.count(header);
    const counting: BatchVisitor = { message: () => report.messages++ };
    try {
      visitBatch(bytes, header, counting);
      if (this.#fold === undefined) return;
      this.#fold.batch({ segment: report.sequence, position }, header);
      visitBatch(bytes, header, this.#fold);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof QueueError)) throw error;
      this.#damaged(report, position, `a record makes no sense: ${error.message}`);
    }
  }

  #unreadable(part: Exclude<SegmentPart, { kind: "batch" }>, report: SegmentReport): void {
    const bytes = counted(part.end - part.position, "byte");
    const isDamaged = part.kind !== "unknown-format";
    const what = isDamaged ? `${bytes} are no whole batch` : "a batch of a format that this version does not know";
    this.#damaged(report, part.position, what);
    this.#isInOrder = false;
  }

  #damaged(report: SegmentReport, position: number, what: string, kind: "damage" | "gap" = "damage"): void {
    report.damages.push({ file: report.file, position, what, gap: kind === "gap" });
    this.#fold = undefined;
  }

  #tornTail({ position, end }: { position: number; end: number }): string {
    const bytes = `${counted(end - position, "byte")} from byte ${position} on`;
    if (this.#settings.writerPid !== undefined) return `${bytes} are being written`;
    return `torn tail: ${bytes} were never acknowledged, and are cut off by the next start`;
  }
}

class SegmentReport {
  readonly file: string;
  readonly sequence: number;
  readonly damages: FoundDamage[] = [];
  readonly #bytes: number;
  messages = 0;
  note: string | undefined;
  #batches = 0;
  #commits = 0;

  constructor(file: string, sequence: number, bytes: number) {
    this.file = file;
    this.sequence = sequence;
    this.#bytes = bytes;
  }

  count(header: BatchHeader): void {
    this.#batches++;
    this.#commits += header.commits;
  }

  /** What is wrong with a batch as the first whole one that was read of this segment; undefined when nothing is. */
  misfitOf({ batchSequence }: BatchHeader): string | undefined {
    if (this.#batches > 0 || this.damages.length > 0 || batchSequence === this.sequence) return undefined;
    return `batch ${this.sequence} expected, ${batchSequence} found`;
  }

  end(): InspectedSegment {
    const { damages, file, messages, note, sequence } = this;
    const counts = { batches: this.#batches, commits: this.#commits, messages };
    const report = { file, bytes: this.#bytes, ...counts, ...(note === undefined ? {} : { note }), damages };
    return { sequence, report };
  }
}

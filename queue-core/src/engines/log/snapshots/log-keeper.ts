/**
 * Keeps the log short: takes snapshots as segments are sealed, and lets old segments go.
 *
 *     resting ──a segment was sealed, or the log was opened──► working ──nothing left to do──► resting
 *        │                                                        │
 *        └────────────────────────close──────────────────────────►closed
 *
 *     working:  snapshot, when enough was sealed since the last one ─► the one before it is removed
 *               then, when segments may go: retainedFrom committed ─► their files are removed
 *
 * What can go wrong: a snapshot fails (full disk, damage in a segment), or a file cannot be removed. Promises: neither
 * harms the log; each is reported, and a snapshot is tried again after the next seal. One job runs at a time.
 *
 * A snapshot costs a rewrite of the whole state. It is therefore due only once as much was sealed as half of the last
 * snapshot's size: on average no more than two bytes of state are written for each byte of log.
 */
import type { Commit } from "../../../engine.ts";
import type { Model } from "../../model.ts";
import { segmentFileName } from "../format/layout.ts";
import type { PartitionMessages } from "../reading/partition-messages.ts";
import type { SegmentList } from "../reading/segment-list.ts";
import type { KnownSnapshot } from "../recovery/recovery.ts";
import type { Compactor } from "./compactor.ts";
import { firstRetained, type Retention } from "./retention.ts";
import { snapshotFileName } from "./snapshot-layout.ts";

export type LogReport =
  | { readonly kind: "snapshot taken"; readonly fileName: string; readonly bytes: number; readonly durationMs: number }
  | { readonly kind: "snapshot failed"; readonly fileName: string; readonly reason: string }
  | { readonly kind: "segments removed"; readonly fileNames: readonly string[]; readonly bytes: number }
  /** They are removed at the next start. */
  | { readonly kind: "removal failed"; readonly fileNames: readonly string[]; readonly reason: string };

export interface LogKeeperParts {
  readonly compactor: Compactor;
  readonly directory: string;
  readonly logId: Uint8Array;
  readonly model: Model<PartitionMessages>;
  readonly segments: SegmentList;
  readonly snapshot: KnownSnapshot | undefined;
  readonly snapshotBytes: number;
  readonly retention: Retention;
  readonly now: () => number;
  readonly underWay: () => Iterable<Commit>;
  /** False while the disk is full: what room there is belongs to acknowledgements then. */
  readonly hasRoom: () => boolean;
  /** Commits that the log begins with that segment; rejects when the log takes no commits. */
  readonly retainFrom: (segment: number) => Promise<unknown>;
  readonly report: (report: LogReport) => void;
}

export class LogKeeper {
  readonly #parts: LogKeeperParts;
  #snapshot: KnownSnapshot | undefined;
  #mode: "resting" | "working" | "closed" = "resting";
  #askedAgain = false;
  #work: Promise<void> = Promise.resolve();

  constructor(parts: LogKeeperParts) {
    this.#parts = parts;
    this.#snapshot = parts.snapshot;
  }

  /** After a segment was sealed, and once the log serves. */
  check(): void {
    if (this.#mode === "working") this.#askedAgain = true;
    if (this.#mode !== "resting") return;
    this.#mode = "working";
    this.#work = this.#run();
  }

  async close(): Promise<void> {
    this.#mode = "closed";
    await this.#parts.compactor.close();
    await this.#work;
  }

  async #run(): Promise<void> {
    do {
      this.#askedAgain = false;
      if (this.#isSnapshotDue()) await this.#takeSnapshot();
      if (this.#isWorking()) await this.#letGo();
    } while (this.#isWorking() && this.#askedAgain);
    if (!this.#isWorking()) return;
    this.#parts.compactor.rest();
    this.#mode = "resting";
  }

  /** Asked after each wait. */
  #isWorking(): boolean {
    return this.#mode === "working";
  }

  #uncovered(): readonly { readonly segment: number; readonly bytes: number }[] {
    const coveredTo = this.#snapshot?.nextBatchSequence ?? 0;
    return this.#parts.segments.sealed.filter(({ segment }) => segment >= coveredTo);
  }

  #isSnapshotDue(): boolean {
    if (!this.#parts.hasRoom()) return false;
    const sealedBytes = this.#uncovered().reduce((sum, { bytes }) => sum + bytes, 0);
    return sealedBytes > 0 && sealedBytes >= Math.max(this.#parts.snapshotBytes, (this.#snapshot?.bytes ?? 0) / 2);
  }

  async #takeSnapshot(): Promise<void> {
    const { compactor, directory, logId, segments, now, report } = this.#parts;
    const next = segments.newest?.segment;
    if (next === undefined) return;
    const previous = this.#snapshot?.nextBatchSequence;
    const fileName = snapshotFileName(next);
    const startMs = now();
    const request = { directory, logId, previous, segments: this.#uncovered().map(({ segment }) => segment), next };
    const outcome = await compactor.run({ kind: "merge", request });
    if (outcome.kind === "failed") {
      if (this.#isWorking()) report({ kind: "snapshot failed", fileName, reason: outcome.reason });
      return;
    }
    this.#snapshot = { nextBatchSequence: next, bytes: outcome.bytes };
    const durationMs = now() - startMs;
    if (previous !== undefined && this.#isWorking()) await this.#remove([snapshotFileName(previous)]);
    report({ kind: "snapshot taken", fileName, bytes: outcome.bytes, durationMs });
  }

  async #letGo(): Promise<void> {
    const { model, segments, retention, now, underWay, retainFrom, report } = this.#parts;
    const coveredTo = this.#snapshot?.nextBatchSequence ?? 0;
    const log = { model, segments, underWay: underWay(), coveredTo, nowMs: now() };
    const first = firstRetained(retention, log);
    if (first === undefined) return;
    const going = segments.sealed.filter(({ segment }) => segment < first);
    try {
      await retainFrom(first);
    } catch {
      // The log is full, failed or closed; whoever commits hears of it. The next seal asks again.
      return;
    }
    const fileNames = going.map(({ segment }) => segmentFileName(segment));
    const bytes = going.reduce((sum, segment) => sum + segment.bytes, 0);
    if (this.#isWorking() && (await this.#remove(fileNames))) report({ kind: "segments removed", fileNames, bytes });
  }

  async #remove(fileNames: readonly string[]): Promise<boolean> {
    const { compactor, directory, report } = this.#parts;
    const outcome = await compactor.run({ kind: "remove", directory, fileNames });
    if (outcome.kind === "failed" && this.#isWorking())
      report({ kind: "removal failed", fileNames, reason: outcome.reason });
    return outcome.kind === "done";
  }
}

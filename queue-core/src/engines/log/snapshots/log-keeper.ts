/**
 * Keeps the log short: takes snapshots as segments are sealed, and lets old segments go.
 *
 *     resting ──sealed, opened, full, or time to look──► working ──nothing left to do──► resting
 *        │                                                        │
 *        └────────────────────────close──────────────────────────►closed
 *
 *     working:  the newest segment is left, when its messages have been there for long
 *               then snapshot, when enough was sealed since the last one ─► the one before it is removed
 *               then, when segments may go: retainedFrom committed ─► their files are removed
 *
 * What can go wrong: a snapshot fails (full disk, damage in a segment), or a file cannot be removed; nothing is written
 * for weeks, and what is too old would stay. Promises: neither failure harms the log; each is reported, and a snapshot
 * is tried again after the next seal. A snapshot takes no room on a full disk, also when that fills up while one is
 * under way. One job runs at a time. Age counts without a write as well: the log is looked at
 * each quarter of the longest age, once a day at least. On a full disk whatever is allowed to go goes at once.
 *
 * A snapshot costs a rewrite of the whole state. It is therefore due only once as much was sealed as half of the last
 * snapshot's size: on average no more than two bytes of state are written for each byte of log. For the sake of age it
 * is taken earlier, at most once for each segment that got old.
 */
import type { Commit } from "../../../engine.ts";
import type { Timers } from "../../../timers.ts";
import type { Model } from "../../model.ts";
import { segmentFileName } from "../format/layout.ts";
import type { PartitionMessages } from "../reading/partition-messages.ts";
import type { SealedSegment, SegmentList } from "../reading/segment-list.ts";
import type { KnownSnapshot } from "../recovery/recovery.ts";
import type { Compactor } from "./compactor.ts";
import { firstRetained, quarterOf, type Retention } from "./retention.ts";
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
  /** Of a RoomSign: a disk that fills up ends a snapshot under way. */
  readonly roomSign: SharedArrayBuffer;
  readonly snapshotBytes: number;
  readonly retention: Retention;
  /** They keep no process alive. */
  readonly timers: Timers;
  readonly now: () => number;
  readonly underWay: () => Iterable<Commit>;
  /** False while the disk is full: what room there is belongs to acknowledgements then. */
  readonly hasRoom: () => boolean;
  /** Commits nothing, to a new segment where the newest is old. Rejects when the log takes no commits. */
  readonly leaveSegment: () => Promise<unknown>;
  /** Commits that the log begins with that segment; rejects when the log takes no commits. */
  readonly retainFrom: (segment: number) => Promise<unknown>;
  readonly report: (report: LogReport) => void;
}

/** Everything that no group needs and a snapshot holds: refusing what comes in would be worse than to lose the past. */
const whenFull: Retention = { ms: 0, bytes: 0 };

export class LogKeeper {
  readonly #parts: LogKeeperParts;
  #snapshot: KnownSnapshot | undefined;
  #mode: "resting" | "working" | "closed" = "resting";
  #askedAgain = false;
  #cancelLook = () => {};
  #work: Promise<void> = Promise.resolve();

  constructor(parts: LogKeeperParts) {
    this.#parts = parts;
    this.#snapshot = parts.snapshot;
  }

  /** Once, when the log serves. */
  open(): void {
    this.check();
    this.#lookLater();
  }

  /** After a segment was sealed, and when the disk is full. */
  check(): void {
    if (this.#mode === "working") this.#askedAgain = true;
    if (this.#mode !== "resting") return;
    this.#mode = "working";
    this.#work = this.#run();
  }

  async close(): Promise<void> {
    this.#mode = "closed";
    this.#cancelLook();
    await this.#parts.compactor.close();
    await this.#work;
  }

  async #run(): Promise<void> {
    do {
      this.#askedAgain = false;
      await this.#leaveOldSegment();
      if (this.#isWorking() && this.#isSnapshotDue()) await this.#takeSnapshot();
      if (this.#isWorking()) await this.#letGo();
    } while (this.#isWorking() && this.#askedAgain);
    if (!this.#isWorking()) return;
    this.#parts.compactor.rest();
    this.#mode = "resting";
  }

  #lookLater(): void {
    if (this.#mode === "closed") return;
    this.#cancelLook = this.#parts.timers.after(quarterOf(this.#parts.retention), () => {
      this.check();
      this.#lookLater();
    });
  }

  async #leaveOldSegment(): Promise<void> {
    const { segments, now, hasRoom, leaveSegment } = this.#parts;
    if (!hasRoom() || !segments.isOverdue(now())) return;
    try {
      await leaveSegment();
    } catch {
      // As in `#letGo`.
    }
  }

  /** Asked after each wait. */
  #isWorking(): boolean {
    return this.#mode === "working";
  }

  #uncovered(): readonly SealedSegment[] {
    const coveredTo = this.#snapshot?.nextBatchSequence ?? 0;
    return this.#parts.segments.sealed.filter(({ segment }) => segment >= coveredTo);
  }

  #isSnapshotDue(): boolean {
    if (!this.#parts.hasRoom()) return false;
    const { retention, now } = this.#parts;
    const uncovered = this.#uncovered();
    if (uncovered.some(({ lastTimeMs }) => now() - lastTimeMs > retention.ms)) return true;
    const sealedBytes = uncovered.reduce((sum, { bytes }) => sum + bytes, 0);
    return sealedBytes > 0 && sealedBytes >= Math.max(this.#parts.snapshotBytes, (this.#snapshot?.bytes ?? 0) / 2);
  }

  async #takeSnapshot(): Promise<void> {
    const { compactor, directory, logId, segments, roomSign, now, report } = this.#parts;
    const next = segments.newest?.segment;
    if (next === undefined) return;
    const previous = this.#snapshot?.nextBatchSequence;
    const fileName = snapshotFileName(next);
    const startMs = now();
    const uncovered = this.#uncovered().map(({ segment }) => segment);
    const request = { directory, logId, previous, segments: uncovered, next, roomSign };
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
    const { model, segments, hasRoom, now, underWay, retainFrom, report } = this.#parts;
    const hadRoom = hasRoom();
    const retention = hadRoom ? this.#parts.retention : whenFull;
    const coveredTo = this.#snapshot?.nextBatchSequence ?? 0;
    const log = { model, segments, underWay: underWay(), coveredTo, nowMs: now() };
    const first = firstRetained(retention, log);
    if (first === undefined) return;
    const going = segments.sealed.filter(({ segment }) => segment < first);
    try {
      await retainFrom(first);
    } catch {
      // The log is full, failed or closed; whoever commits hears of it. The next seal or look asks again. The refusal
      // itself asked too: on a disk that was full before, that would be tried and synced without end.
      if (!hadRoom) this.#askedAgain = false;

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

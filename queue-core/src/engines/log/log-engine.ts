/**
 * The log engine: commits are durable before they are visible, on one machine with nothing to install.
 *
 *     commit ─► reserved and encoded into the open batch ─► batch under way ─► applied, resolved
 *                    (while the batch before is written)      (written, synced)
 *
 *     serving ──full disk──► serving      the model goes back, admission.ts says what is tried again and what refused
 *        │
 *        ├──failed write or sync──► poisoned   reads go on, commits are refused, `failed` resolves
 *        └──close──► closing ──► closed
 *
 * Rooms: `format/` what the bytes mean, `writing/` how they get to the disk, `reading/` how readers find them,
 * `recovery/` what a start makes of what it finds, `snapshots/` how the past gets short and then goes.
 *
 * What can go wrong: a write or sync fails and nobody knows what is stored. Promises: a commit resolves only after
 * its batch was synced; batches become visible in order and whole; a poisoned engine stores nothing ever again.
 * Memory is bounded: recent messages up to a budget, state entries, and a sparse index.
 */
import type { Commit, CommitReceipt, EngineStatistics, StoredMessage, TopicConfig } from "../../engine.ts";
import { QueueError } from "../../errors.ts";
import type { EngineTime } from "../clock.ts";
import type { ReadLimits } from "../message-ring.ts";
import type { Model, Reservation } from "../model.ts";
import { ModelEngine } from "../model-engine.ts";
import { BatchEncoder, type LogOnlyRecords } from "./format/batch-encoder.ts";
import { LogReader } from "./reading/log-reader.ts";
import type { BatchPlace, PartitionMessages } from "./reading/partition-messages.ts";
import { RecentBatches } from "./reading/recent-batches.ts";
import type { SegmentList } from "./reading/segment-list.ts";
import { LogKeeper, type LogKeeperParts } from "./snapshots/log-keeper.ts";
import { dropSegments } from "./snapshots/retention.ts";
import { Admission, sift } from "./writing/admission.ts";
import type { BatchWriter } from "./writing/batch-writer.ts";
import type { Disk } from "./writing/disk.ts";
import type { WriteOutcome } from "./writing/segment-writer.ts";

interface Waiting {
  readonly reservation: Reservation<PartitionMessages>;
  readonly extra: LogOnlyRecords | undefined;
  readonly resolve: (receipt: CommitReceipt) => void;
  readonly reject: (error: unknown) => void;
}

interface UnderWay {
  readonly waiting: readonly Waiting[];
  readonly timeMs: number;
  readonly length: number;
  /** Where each message starts in the batch, in the order of the commits and their messages. */
  readonly positions: readonly number[];
  readonly place: BatchPlace;
  readonly settled: (() => void)[];
}

export interface LogEngineParts {
  readonly disk: Disk;
  readonly directory: string;
  readonly logId: Uint8Array;
  readonly model: Model<PartitionMessages>;
  readonly time: EngineTime;
  readonly segments: SegmentList;
  readonly nextBatchSequence: number;
  readonly upkeep: LogUpkeep;
  readonly memoryBytes: number;
  /** False where the disk has no room for it. */
  readonly hasReserve: boolean;
  /** False once another process took the directory over. Asked before a batch is written, and before it is acknowledged. */
  readonly isOwner: () => boolean;
  /** After everything else is closed. */
  readonly onClosed: () => void;
}

/** What the keeper of the log works with, besides the engine. */
type LogUpkeep = Pick<
  LogKeeperParts,
  "compactor" | "snapshot" | "roomSign" | "snapshotBytes" | "retention" | "timers" | "report"
>;

export class LogEngine extends ModelEngine<PartitionMessages> {
  readonly name = "log";
  readonly failed: Promise<Error>;
  readonly #parts: LogEngineParts;
  readonly #encoder = new BatchEncoder();
  readonly #recent: RecentBatches;
  readonly #reader: LogReader;
  readonly #segments: SegmentList;
  readonly #keeper: LogKeeper;
  readonly #admission: Admission;
  #writer: BatchWriter | undefined;
  #mode: "serving" | "poisoned" | "closing" | "closed" = "serving";
  #poison: string | undefined;
  #resolveFailed: (error: Error) => void = () => {};
  #open: Waiting[] = [];
  #underWay: UnderWay | undefined;
  #settledListeners: (() => void)[] = [];
  #sendScheduled = false;
  #nextBatchSequence: number;
  #syncs = 0;
  /** Goes with the first commit, since nothing may be stored before it. */
  #unstoredIncarnation: number | undefined;
  #declaring: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(parts: LogEngineParts) {
    super(parts.model, parts.time);
    this.#parts = parts;
    this.#reader = new LogReader(parts);
    this.#segments = parts.segments;
    this.#keeper = new LogKeeper({
      ...parts,
      ...parts.upkeep,
      now: () => this.now(),
      underWay: () => this.#commitsUnderWay(),
      hasRoom: () => this.#admission.isServing,
      leaveSegment: () => this.#submit({}, undefined),
      retainFrom: (segment) => this.#submit({}, { retainedFrom: segment }),
    });
    this.#nextBatchSequence = parts.nextBatchSequence;
    this.#recent = new RecentBatches(parts.memoryBytes);
    this.#admission = new Admission({
      mode: parts.hasReserve ? "serving" : "full",
      look: () => {
        this.#writer?.makeReserve();
        // Consumption goes on meanwhile, and may have freed what was needed before.
        this.#keeper.check();
      },
    });
    this.failed = new Promise((resolve) => {
      this.#resolveFailed = resolve;
    });
  }

  /** Notes this start in the log, so that epochs grow over restarts; on a full disk, with the first commit stored. */
  async start(writer: BatchWriter, incarnation: number): Promise<void> {
    this.#writer = writer;
    this.#unstoredIncarnation = incarnation;
    // A second time on the room that the reserve may have given up at the first.
    for (let attempt = 0; attempt < 2 && this.#unstoredIncarnation !== undefined; attempt++) {
      await this.commit({}).catch((error: unknown) => {
        if (!(error instanceof QueueError && error.code === "STORAGE_FULL")) throw error;
      });
    }
    this.#keeper.open();
  }

  async declareTopics(topics: readonly TopicConfig[]): Promise<void> {
    // One after the other: a declaration under way is not in the model yet.
    const declared = this.#declaring.then(async () => {
      this.assertOpen();
      const fresh = this.model.undeclared(topics);
      if (fresh.length > 0) await this.#submit({}, { topics: fresh });
    });
    this.#declaring = declared.catch(() => {});
    await declared;
  }

  commit(commit: Commit): Promise<CommitReceipt> {
    return this.#submit(commit, undefined);
  }

  async read(
    topic: string,
    partition: number,
    fromOffset: number,
    limits: ReadLimits,
  ): Promise<readonly StoredMessage[]> {
    this.assertOpen();
    const { found, from } = this.model.startOfRead(topic, partition, fromOffset, limits);
    return this.#reader.read(found, from, limits);
  }

  statistics(): EngineStatistics {
    return { ...this.model.statistics(), syncs: this.#syncs };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The outcome of the batch under way; the writer calls it once for each. */
  onOutcome(outcome: WriteOutcome, batch: Buffer): void {
    const underWay = this.#underWay;
    if (outcome.kind === "failed" || underWay === undefined) {
      this.#enterPoisoned(outcome.kind === "failed" ? outcome.reason : "the writer answered without being asked");
      return;
    }
    if (!this.#parts.isOwner()) {
      this.onOwnerLost();
      return;
    }
    this.#underWay = undefined;
    if (outcome.kind === "full") {
      this.#takeBack(underWay, outcome);
      return;
    }
    this.#syncs++;
    const sealed = this.#segments.written(underWay.place, underWay.length, underWay.timeMs);
    // First the disk gets its next batch, then this thread works on the last one.
    this.#send();
    this.#apply(underWay, batch);
    if (sealed) this.#keeper.check();
  }

  /** Another process took the directory over while this one was stopped. */
  onOwnerLost(): void {
    this.#enterPoisoned("another process took the log over while this one was stopped");
  }

  onReserve(isMade: boolean): void {
    this.#admission.looked(isMade);
  }

  protected assertOpen(): void {
    if (this.#mode === "closing" || this.#mode === "closed") throw new QueueError("CLOSED");
  }

  protected async settled(): Promise<void> {
    this.#assertNotPoisoned();
    await this.#allSettled();
    this.#assertNotPoisoned();
  }

  #allSettled(): Promise<void> {
    if (this.#open.length > 0) return new Promise((resolve) => this.#settledListeners.push(resolve));
    const underWay = this.#underWay;
    return underWay === undefined ? Promise.resolve() : new Promise((resolve) => underWay.settled.push(resolve));
  }

  *#commitsUnderWay(): Generator<Commit> {
    for (const { reservation } of this.#underWay?.waiting ?? []) yield reservation.commit;
    for (const { reservation } of this.#open) yield reservation.commit;
  }

  #submit(commit: Commit, extra: LogOnlyRecords | undefined): Promise<CommitReceipt> {
    return new Promise((resolve, reject) => {
      this.assertOpen();
      this.#assertNotPoisoned();
      if (!this.#admission.admits(commit)) {
        // What no room would help is told first.
        this.model.check(commit);
        throw this.#admission.refuse(this.now());
      }
      this.#enter(commit, extra, resolve, reject);
    });
  }

  /** Into the open batch. Throws why not. */
  #enter(
    commit: Commit,
    extra: LogOnlyRecords | undefined,
    resolve: Waiting["resolve"],
    reject: Waiting["reject"],
  ): void {
    this.#assertNotPoisoned();
    const reservation = this.model.reserve(commit);
    const incarnation = this.#unstoredIncarnation;
    const records = incarnation === undefined ? extra : { ...extra, incarnation };
    this.#unstoredIncarnation = undefined;
    try {
      this.#encoder.add(reservation, (topic) => this.model.partition(topic, 0).topicId, records);
    } catch (error) {
      // The batch may hold half a commit, and later commits may build on it: neither can be told apart any more.
      this.#enterPoisoned(`encoding a commit: ${String(error)}`);
      throw error;
    }
    this.#open.push({ reservation, extra: records, resolve, reject });
    if (this.#underWay !== undefined || this.#sendScheduled) return;
    this.#sendScheduled = true;
    queueMicrotask(() => {
      this.#sendScheduled = false;
      this.#send();
    });
  }

  /** Hands the open batch to the writer when that is idle. */
  #send(): void {
    if (this.#underWay !== undefined || this.#open.length === 0 || this.#mode === "poisoned") return;
    if (!this.#parts.isOwner()) {
      this.onOwnerLost();
      return;
    }
    const { bytes, timeMs, positions } = this.#encoder.finish(this.#nextBatchSequence);
    const place = this.#segments.place(this.#nextBatchSequence, bytes.length, timeMs);
    const settled = this.#settledListeners;
    this.#underWay = { waiting: this.#open, timeMs, length: bytes.length, positions, place, settled };
    this.#nextBatchSequence++;
    this.#open = [];
    this.#settledListeners = [];
    const beginSegment = this.#segments.begins(place) ? place.segment : undefined;
    (this.#writer as BatchWriter).write({ batch: bytes, position: place.position, beginSegment });
  }

  #apply(underWay: UnderWay, bytes: Buffer): void {
    const batch = { bytes, timeMs: underWay.timeMs, holders: [] };
    let message = 0;
    for (const { reservation, extra } of underWay.waiting) {
      const { targets, receipt } = reservation;
      this.model.apply(reservation);
      for (const topic of extra?.topics ?? []) this.model.addTopic(topic);
      if (extra?.retainedFrom !== undefined) dropSegments(this.model, this.#segments, extra.retainedFrom);
      for (let index = 0; index < targets.length; index++) {
        const target = targets[index] as Reservation<PartitionMessages>["targets"][number];
        const offset = receipt.offsets[index] as number;
        target.store.remember(batch, underWay.place, offset, underWay.positions[message++] as number);
        if (target.topic.ringMessages !== undefined) target.store.dropIndexBefore(target.start);
      }
    }
    if (message > 0) this.#recent.add(batch, message);
    for (const { reservation, resolve } of underWay.waiting) resolve(reservation.receipt);
    for (const settled of underWay.settled) settled();
  }

  /** Nothing of the batch is on disk, and the open one was built on it: both never happened. */
  #takeBack(underWay: UnderWay, outcome: WriteOutcome & { readonly kind: "full" }): void {
    const takenBack = [...underWay.waiting, ...this.#open];
    const settled = [...underWay.settled, ...this.#settledListeners];
    this.#open = [];
    this.#settledListeners = [];
    this.#encoder.discard();
    this.#nextBatchSequence--;
    if (outcome.segmentBegun) this.#segments.begun(underWay.place.segment, underWay.timeMs);
    this.model.dropReservations();
    this.#unstoredIncarnation ??= takenBack[0]?.extra?.incarnation;
    this.#admission.foundFull(outcome.reason, this.now());
    const { again, refused } = outcome.roomGained ? sift(takenBack) : { again: [], refused: takenBack };
    for (const { reject } of refused) reject(this.#admission.refusal());
    for (const { reservation, resolve, reject } of again) {
      try {
        this.#enter(reservation.commit, undefined, resolve, reject);
      } catch (error) {
        reject(error);
      }
    }
    // Whoever waits for the batch waits for what goes on of it.
    if (this.#open.length > 0) this.#settledListeners.push(...settled);
    else for (const listener of settled) listener();
    this.#keeper.check();
  }

  #enterPoisoned(reason: string): void {
    if (this.#poison !== undefined || this.#mode === "closed") return;
    this.#poison = reason;
    if (this.#mode === "serving") this.#mode = "poisoned";
    const { waiting, settled } = this.#underWay ?? { waiting: [], settled: [] };
    const open = this.#open;
    const listeners = [...settled, ...this.#settledListeners];
    this.#underWay = undefined;
    this.#open = [];
    this.#settledListeners = [];
    const error = new QueueError("STORAGE_FAILED", reason);
    for (const { reject } of waiting) reject(error);
    for (const { reject } of open) reject(notStored(reason));
    for (const listener of listeners) listener();
    this.#resolveFailed(error);
  }

  #assertNotPoisoned(): void {
    if (this.#poison !== undefined) throw notStored(this.#poison);
  }

  async #close(): Promise<void> {
    this.#mode = "closing";
    await this.#allSettled();
    this.#mode = "closed";
    await this.#keeper.close();
    await this.#writer?.close();
    this.model.notifier.clear();
    this.#parts.onClosed();
  }
}

function notStored(reason: string): QueueError {
  return new QueueError("STORAGE_FAILED", reason, { outcome: "not_stored" });
}

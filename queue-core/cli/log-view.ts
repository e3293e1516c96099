/**
 * A log as it is at one moment, read without its engine: nothing is locked, written or mended.
 *
 * What can go wrong beside a writer, and what is done:
 * - It is writing its last batch: the view ends before it, as it would after a crash.
 * - It deletes a file that the listing named, or the listing met it half-way between two files: the log is listed
 *   and read anew.
 * - It takes a batch back from a full disk and writes another one over it while that is read: what looks like
 *   damage is damage only when a second look finds the very same.
 * The state of a big system need not fit here: only those entries are kept that a command asks for.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { StateEntry, StateWrite, StoredMessage, TopicConfig } from "../src/engine.ts";
import { liveOwnerOf } from "../src/engines/log/lock-file.ts";
import { LogReader } from "../src/engines/log/reading/log-reader.ts";
import { PartitionMessages } from "../src/engines/log/reading/partition-messages.ts";
import { SegmentList } from "../src/engines/log/reading/segment-list.ts";
import { LogFold } from "../src/engines/log/recovery/log-fold.ts";
import { type ScannedLog, scanLog } from "../src/engines/log/recovery/recovery.ts";
import type { SnapshotHeader } from "../src/engines/log/snapshots/snapshot-layout.ts";
import type { SnapshotPartition } from "../src/engines/log/snapshots/snapshot-reader.ts";
import { Model, type Partition } from "../src/engines/model.ts";
import { QueueError } from "../src/errors.ts";
import { checkLogDirectory, codeOf, problemWith } from "./log-directory.ts";
import { readOnlyDisk } from "./read-only-disk.ts";
import { ToolProblem } from "./tool-problem.ts";

const attempts = 10;
/** Many segments that go together take a writer some ms: the pause between two looks grows by this. */
const pauseMs = 10;

/** Which state entries a command needs. */
export type KeepsEntries = (namespace: string) => boolean;

/** Throws ToolProblem where it is no log, CORRUPT and UNKNOWN_FORMAT with file and byte offset. */
export function withLogView<Found>(
  directory: string,
  keepsEntries: KeepsEntries,
  look: (view: LogView) => Promise<Found>,
): Promise<Found> {
  return lookAgain(directory, async () => look(await LogView.read(directory, keepsEntries)));
}

/** Looks again where a running writer may have been the reason why a look failed. */
export async function lookAgain<Found>(directory: string, look: () => Promise<Found>): Promise<Found> {
  let before: string | undefined;
  for (let attempt = 1; ; attempt++) {
    checkLogDirectory(directory);
    try {
      return await look();
    } catch (error) {
      const isVanished = codeOf(error) === "ENOENT";
      const isDamaged = error instanceof QueueError && error.code === "CORRUPT";
      if (!isVanished && !isDamaged) throw problemWith(directory, error);
      const now = (error as Error).message;
      if (isDamaged && now === before) throw error;
      before = now;
      if (attempt === attempts) throw new ToolProblem(`${directory} changes faster than it can be read: ${now}`);
      await pause(attempt * pauseMs);
    }
  }
}

export interface DeclaredTopics {
  /** By their number in the log's records. */
  readonly names: readonly string[];
  /** False where the log is damaged: these were declared before the damage. */
  readonly isComplete: boolean;
}

/** The topics of the log, as far as it can be read: nothing that is wrong with it is thrown. */
export async function declaredTopics(directory: string): Promise<DeclaredTopics> {
  const model = newModel();
  const namesOf = () => model.topics.map(({ name }) => name);
  try {
    await scanLog(readOnlyDisk, directory, new ViewFold(model, () => false));
    return { names: namesOf(), isComplete: true };
  } catch {
    return { names: namesOf(), isComplete: false };
  }
}

export class LogView {
  readonly directory: string;
  readonly #model: Model<PartitionMessages>;
  readonly #fold: ViewFold;
  readonly #scanned: ScannedLog;

  private constructor(directory: string, model: Model<PartitionMessages>, fold: ViewFold, scanned: ScannedLog) {
    this.directory = directory;
    this.#model = model;
    this.#fold = fold;
    this.#scanned = scanned;
  }

  static async read(directory: string, keepsEntries: KeepsEntries): Promise<LogView> {
    const model = newModel();
    const fold = new ViewFold(model, keepsEntries);
    return new LogView(directory, model, fold, await scanLog(readOnlyDisk, directory, fold));
  }

  /** Sorted by name. */
  get topics(): readonly TopicConfig[] {
    return [...this.#model.topics].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Throws ToolProblem. */
  topic(name: string): TopicConfig {
    const found = this.#model.topic(name);
    if (found !== undefined) return found;
    const known = this.topics.map((topic) => topic.name).join(", ");
    throw new ToolProblem(
      known === "" ? `there is no topic ${name}: the log has none` : `there is no topic ${name}; there are ${known}`,
    );
  }

  /** All of them, or the one that was asked for. Throws ToolProblem. */
  partitions(topic: string, only?: number): readonly Partition<PartitionMessages>[] {
    const { partitions } = this.topic(topic);
    if (only === undefined)
      return Array.from({ length: partitions }, (_, index) => this.#model.partition(topic, index));
    if (only < partitions) return [this.#model.partition(topic, only)];
    throw new ToolProblem(`${topic} has ${partitions} partitions, from 0 to ${partitions - 1}; there is no ${only}`);
  }

  /** From the oldest readable message on where `fromOffset` is older. */
  async read(
    partition: Partition<PartitionMessages>,
    fromOffset: number,
    maxMessages: number,
  ): Promise<readonly StoredMessage[]> {
    const { logId } = this.#scanned;
    if (logId === undefined) return [];
    const reader = new LogReader({ disk: readOnlyDisk, directory: this.directory, logId });
    return reader.read(partition, Math.max(fromOffset, partition.start), { maxMessages });
  }

  /** Namespaces that were written to, among those that are kept. Sorted; some may be empty now. */
  get namespaces(): readonly string[] {
    return [...this.#fold.namespaces].sort();
  }

  /** In key order. */
  entries(namespace: string, limit: number): readonly StateEntry[] {
    return this.#model.state.scan(namespace, { limit }, this.lastTimeMs);
  }

  /** What is known of a group's commits on a partition; undefined when it made none. */
  advancesOf(group: string, partition: Partition<unknown>): Advances | undefined {
    return this.#fold.advances.get(advanceKey(group, partition.topicId, partition.index));
  }

  /** Of the last commit, ms since epoch; 0 when there is none. */
  get lastTimeMs(): number {
    return this.#fold.lastTimeMs;
  }

  get extent(): LogExtent {
    const { files, nextBatchSequence, snapshot, tornBytes } = this.#scanned;
    return {
      directory: this.directory,
      segments: files.length,
      // A segment that retention took since it was listed has no bytes any more.
      bytes: files.reduce((sum, file) => sum + (sizeOf(join(this.directory, file)) ?? 0), 0),
      batches: nextBatchSequence,
      snapshot:
        snapshot === undefined
          ? null
          : { beforeBatch: snapshot.nextBatchSequence, bytes: snapshot.bytes, timeMs: this.#fold.snapshotTimeMs },
      lastTimeMs: this.lastTimeMs,
      tornBytes,
      writerPid: liveOwnerOf(this.directory) ?? null,
    };
  }
}

const newModel = () => new Model<PartitionMessages>({ now: Date.now, createStore: () => new PartitionMessages() });

/** How far the view reaches. */
export interface LogExtent {
  readonly directory: string;
  readonly segments: number;
  readonly bytes: number;
  /** The one that the view starts from. */
  readonly snapshot: { readonly beforeBatch: number; readonly bytes: number; readonly timeMs: number } | null;
  /** Batches ever written, those that retention removed included. */
  readonly batches: number;
  readonly lastTimeMs: number;
  /** Behind the last whole batch: being written, or left by a crash. */
  readonly tornBytes: number;
  /** The live process that has the log open; null when there is none. */
  readonly writerPid: number | null;
}

/** Times of a group's first and latest commit of an offset, ms since epoch; null: in the snapshot, without its time. */
export interface Advances {
  readonly firstMs: number | null;
  lastMs: number | null;
}

const advanceKey = (group: string, topicId: number, partition: number): string => `${topicId}/${partition}/${group}`;

class ViewFold extends LogFold {
  readonly namespaces = new Set<string>();
  readonly advances = new Map<string, Advances>();
  snapshotTimeMs = 0;
  readonly #keepsEntries: KeepsEntries;

  constructor(model: Model<PartitionMessages>, keepsEntries: KeepsEntries) {
    super(model, new SegmentList(Number.POSITIVE_INFINITY, model));
    this.#keepsEntries = keepsEntries;
  }

  override advance(group: string, topicId: number, partition: number, to: number): void {
    super.advance(group, topicId, partition, to);
    const key = advanceKey(group, topicId, partition);
    const known = this.advances.get(key);
    if (known === undefined) this.advances.set(key, { firstMs: this.lastTimeMs, lastMs: this.lastTimeMs });
    else known.lastMs = this.lastTimeMs;
  }

  override snapshot(header: SnapshotHeader): void {
    super.snapshot(header);
    this.snapshotTimeMs = header.lastTimeMs;
  }

  override restorePartition(partition: SnapshotPartition): void {
    super.restorePartition(partition);
    for (const [group] of partition.committed) {
      const key = advanceKey(group, partition.topicId, partition.partition);
      this.advances.set(key, { firstMs: null, lastMs: null });
    }
  }

  override retire(group: string, topicId: number): void {
    super.retire(group, topicId);
    for (const key of this.advances.keys()) {
      if (key.startsWith(`${topicId}/`) && key.endsWith(`/${group}`)) this.advances.delete(key);
    }
  }

  override put(write: StateWrite): void {
    if (!this.#keepsEntries(write.namespace)) return;
    this.namespaces.add(write.namespace);
    super.put(write);
  }
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/**
 * Reads every byte of a snapshot, and compares it with what the segments before it say, where these are all there.
 *
 * What can go wrong: a snapshot whose checksums are right and whose content is wrong would be believed by every start
 * from then on, since it is what starts read. Promise: topics, offsets, groups, index and every state entry with its
 * expiry are compared; the first difference is named.
 */
import { join } from "node:path";
import { DamageError } from "../src/engines/log/format/damage.ts";
import type { PartitionMessages } from "../src/engines/log/reading/partition-messages.ts";
import type { SealedSegment } from "../src/engines/log/reading/segment-list.ts";
import { nextBatchSequenceOf, type SnapshotHeader } from "../src/engines/log/snapshots/snapshot-layout.ts";
import { SnapshotReader } from "../src/engines/log/snapshots/snapshot-reader.ts";
import type { Partition } from "../src/engines/model.ts";
import type { Damage, InspectedFile } from "./inspection.ts";
import { InspectionFold } from "./inspection-fold.ts";
import { readOnlyDisk } from "./read-only-disk.ts";

export interface SoundSnapshot {
  readonly path: string;
  readonly file: string;
  readonly header: SnapshotHeader;
  /** As it stands before the first batch that is not in it, without its state entries. */
  readonly fold: InspectionFold;
  /** The segments that it knows. */
  readonly sealed: readonly SealedSegment[];
}

export interface SnapshotInspection {
  readonly report: InspectedFile;
  /** Undefined where it is damaged. */
  readonly snapshot: SoundSnapshot | undefined;
}

export async function inspectSnapshot(directory: string, file: string): Promise<SnapshotInspection> {
  const path = join(directory, file);
  const fold = new InspectionFold("dropped");
  let bytes = 0;
  let entries = 0;
  try {
    const reader = await open(path);
    try {
      bytes = reader.bytes;
      await reader.readBase(fold);
      for await (const block of reader.entries()) entries += block.length;
      const snapshot = { path, file, header: reader.header, fold, sealed: [...fold.segments.sealed] };
      return { report: { file, bytes, entries, damages: [] }, snapshot };
    } finally {
      reader.close();
    }
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
    const damage: Damage = { file, position: error.position, what: error.what };
    return { report: { file, bytes, entries, damages: [damage] }, snapshot: undefined };
  }
}

function open(path: string): Promise<SnapshotReader> {
  return SnapshotReader.open(readOnlyDisk, path, nextBatchSequenceOf(path.slice(-25)) ?? 0);
}

/** In what the snapshot differs from a fold of every batch before it that kept its state; undefined: in nothing. */
export async function differenceFrom(snapshot: SoundSnapshot, fold: InspectionFold): Promise<string | undefined> {
  return differenceOfBase(snapshot.fold, fold) ?? (await differenceOfEntries(snapshot, fold));
}

function differenceOfBase(kept: InspectionFold, folded: InspectionFold): string | undefined {
  if (kept.lastTimeMs !== folded.lastTimeMs) return `its time is ${kept.lastTimeMs} instead of ${folded.lastTimeMs}`;
  if (kept.incarnations !== folded.incarnations)
    return `the log was opened ${folded.incarnations} times, not ${kept.incarnations}`;
  if (!isSame(kept.model.topics, folded.model.topics)) return "its topics are others";
  for (const partition of folded.model.partitions()) {
    const other = kept.model.partitionOfTopicId(partition.topicId, partition.index);
    if (other !== undefined && isSame(describe(partition), describe(other))) continue;
    return `${partition.topic.name}/${partition.index} is another: offsets, groups or index`;
  }
  return undefined;
}

function describe({ start, end, committed, store }: Partition<PartitionMessages>): unknown {
  return { start, end, committed: [...committed].sort(), places: [...store.places()] };
}

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

async function differenceOfEntries({ path }: SoundSnapshot, fold: InspectionFold): Promise<string | undefined> {
  const { state } = fold.model;
  let entries = 0;
  const reader = await open(path);
  try {
    await reader.readBase(new InspectionFold("dropped"));
    for await (const block of reader.entries()) {
      for (const { expiresAtMs, key, namespace, value } of block) {
        entries++;
        // Alive until its expiry, and no longer.
        const lastMs = expiresAtMs === undefined ? Number.MAX_VALUE : expiresAtMs - 1;
        const folded = state.read(namespace, key, lastMs);
        const isLonger = expiresAtMs !== undefined && state.read(namespace, key, expiresAtMs) !== undefined;
        if (folded === undefined || isLonger || value?.equals(folded) !== true) {
          return `entry ${JSON.stringify(key)} of ${namespace} is another`;
        }
      }
    }
  } finally {
    reader.close();
  }
  const live = liveEntries(fold);
  return entries === live ? undefined : `it has ${entries} entries instead of ${live}`;
}

function liveEntries({ lastTimeMs, model, namespaces }: InspectionFold): number {
  let count = 0;
  for (const namespace of namespaces) {
    let after: string | undefined;
    do {
      const found = model.state.scan(
        namespace,
        { limit: 1_024, ...(after === undefined ? {} : { after }) },
        lastTimeMs,
      );
      count += found.length;
      after = found.at(-1)?.key;
    } while (after !== undefined);
  }
  return count;
}

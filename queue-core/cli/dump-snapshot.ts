/** Shows what a snapshot holds, up to the first damage: its blocks are checked one by one, and read in order. */
import { DamageError } from "../src/engines/log/format/damage.ts";
import { readWhole } from "../src/engines/log/recovery/segment-scan.ts";
import { decodeSnapshotHeader } from "../src/engines/log/snapshots/snapshot-layout.ts";
import { SnapshotReader, type SnapshotVisitor } from "../src/engines/log/snapshots/snapshot-reader.ts";
import type { Call } from "./command.ts";
import type { Show } from "./dump-segment.ts";
import { readOnlyDisk } from "./read-only-disk.ts";

export async function dumpSnapshot(path: string, call: Call, show: Show): Promise<void> {
  try {
    const reader = await open(path);
    try {
      await reader.readBase(visitorOf(reader.bytes, show));
      await dumpEntries(reader, call.limit ?? Number.POSITIVE_INFINITY, show);
    } finally {
      reader.close();
    }
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
    const { position, what } = error;
    show({ kind: "damage", position, what, isAtEnd: false });
  }
}

/** Under whatever name it has: the header tells what it should be called. */
async function open(path: string): Promise<SnapshotReader> {
  const header = decodeSnapshotHeader((await readWhole(readOnlyDisk, path)).bytes);
  return SnapshotReader.open(readOnlyDisk, path, typeof header === "string" ? 0 : header.nextBatchSequence);
}

function visitorOf(bytes: number, show: Show): SnapshotVisitor {
  const names: string[] = [];
  return {
    snapshot({ incarnations, lastTimeMs, logId, nextBatchSequence, nextCommitSequence }) {
      show({
        kind: "snapshot",
        logId: Buffer.from(logId).toString("hex"),
        bytes,
        beforeBatch: nextBatchSequence,
        beforeCommit: nextCommitSequence,
        timeMs: lastTimeMs,
        opened: incarnations,
      });
    },
    topic({ name, ...config }) {
      names.push(name);
      show({ kind: "topic", topic: name, ...config });
    },
    restorePartition({ committed, end, partition, places, start, topicId }) {
      const topic = names[topicId] ?? `topic #${topicId}`;
      show({ kind: "partition", topic, partition, start, end, committed: Object.fromEntries(committed), places });
    },
    restoreSegment({ bytes: segmentBytes, lastTimeMs, segment }) {
      show({ kind: "sealed", fromBatch: segment, bytes: segmentBytes, lastTimeMs });
    },
  };
}

async function dumpEntries(reader: SnapshotReader, limit: number, show: Show): Promise<void> {
  let count = 0;
  for await (const block of reader.entries()) {
    for (const { expiresAtMs, key, namespace, value } of block) {
      if (count++ >= limit) return;
      const stored = value ?? Buffer.alloc(0);
      show({ kind: "entry", namespace, key, ...(expiresAtMs === undefined ? {} : { expiresAtMs }), stored });
    }
  }
}

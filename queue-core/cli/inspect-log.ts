/**
 * Reads every byte of a log directory and says of each file what it is and what is wrong with it.
 *
 * Promises: damage is what start-up would refuse, now or once the bytes are needed, with file and byte offset. What a
 * crash or a running writer leaves behind in good order (a torn tail, an unfinished file, an older snapshot, a segment
 * that the log let go) is told, and is no damage.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { firstBatchSequenceOf, segmentFileName, unfinishedSuffix } from "../src/engines/log/format/layout.ts";
import { liveOwnerOf } from "../src/engines/log/lock-file.ts";
import { nextBatchSequenceOf } from "../src/engines/log/snapshots/snapshot-layout.ts";
import { reserveFileName } from "../src/engines/log/writing/reserve.ts";
import { type InspectedSegment, SegmentInspector } from "./inspect-segments.ts";
import { inspectSnapshot, type SnapshotInspection, type SoundSnapshot } from "./inspect-snapshot.ts";
import type { Damage, InspectedFile, Inspection } from "./inspection.ts";
import { codeOf } from "./log-directory.ts";
import { readOnlyDisk } from "./read-only-disk.ts";

const notNeeded = "not needed any more, removed by the next start";

export async function inspectLog(directory: string): Promise<Inspection> {
  const writerPid = liveOwnerOf(directory);
  const names = readOnlyDisk.list(directory).sort();
  const snapshots = names.filter((name) => nextBatchSequenceOf(name) !== undefined);
  const newest = snapshots.at(-1);
  const inspection = newest === undefined ? undefined : await inspectSnapshot(directory, newest);
  const segments = names.filter((name) => firstBatchSequenceOf(name) !== undefined);
  const reports = await inspectSegments({ directory, writerPid, segments, inspection });
  const files = names.flatMap((name) => {
    const report = reports.find(({ file }) => file === name);
    if (report !== undefined) return [report];
    return otherFile(directory, name, snapshots.includes(name) ? notNeeded : noteOn(name, writerPid));
  });
  return { files, damages: files.flatMap(({ damages }) => damages), writerPid: writerPid ?? null };
}

interface SegmentsToInspect {
  readonly directory: string;
  readonly writerPid: number | undefined;
  /** File names, oldest first. */
  readonly segments: readonly string[];
  readonly inspection: SnapshotInspection | undefined;
}

/** The reports of all segments, and of the newest snapshot. */
async function inspectSegments(all: SegmentsToInspect): Promise<readonly InspectedFile[]> {
  const { directory, inspection, segments, writerPid } = all;
  const snapshot = inspection?.snapshot;
  const isFromTheStart = segments[0] === segmentFileName(0);
  const inspector = new SegmentInspector({ directory, writerPid, snapshot, isFromTheStart });
  const inspected: InspectedSegment[] = [];
  for (const file of segments) {
    const place = file === segments.at(-1) ? "newest" : "sealed";
    inspected.push(...(await inspectOne(inspector, file, place)));
  }
  const oldest = inspector.oldestNeeded ?? inspected[0]?.sequence ?? 0;
  const reports = inspected.map((segment) => judge(segment, oldest, snapshot));
  const [first] = inspected;
  if (first !== undefined && inspection === undefined && !isFromTheStart) {
    const what = `the segments before batch ${first.sequence} are missing, and no snapshot holds what was in them`;
    reports[0] = {
      ...first.report,
      damages: [{ file: first.report.file, position: 0, what }, ...first.report.damages],
    };
  }
  if (inspection === undefined) return reports;
  const missing = snapshot === undefined ? [] : missingSegments(snapshot, segments, oldest);
  return [...reports, reportOnSnapshot(inspection, inspector, missing)];
}

/** None where it went since it was listed: the log let it go before, and says so in a segment that is read later. */
async function inspectOne(
  inspector: SegmentInspector,
  file: string,
  place: "newest" | "sealed",
): Promise<InspectedSegment[]> {
  try {
    return [await inspector.inspect(file, firstBatchSequenceOf(file) as number, place)];
  } catch (error) {
    if (codeOf(error) === "ENOENT" && place === "sealed") return [];
    throw error;
  }
}

/** What is no damage of a segment after all, and what is because the snapshot says otherwise. */
function judge(
  { report, sequence }: InspectedSegment,
  oldest: number,
  snapshot: SoundSnapshot | undefined,
): InspectedFile {
  const { damages, ...found } = report;
  if (sequence < oldest) return { ...found, note: notNeeded, damages: [] };
  const kept: Damage[] = damages
    .filter(({ gap }) => !(gap && sequence === oldest))
    .map(({ file, position, what }) => ({ file, position, what }));
  if (snapshot !== undefined && kept.length === 0 && sequence < snapshot.header.nextBatchSequence) {
    const known = snapshot.sealed.find(({ segment }) => segment === sequence);
    const { file, bytes } = report;
    if (known === undefined) {
      kept.push({ file, position: 0, what: `${snapshot.file} knows no segment that begins here` });
    } else if (known.bytes !== bytes) {
      const what = `${bytes} bytes, of which ${snapshot.file} knows ${known.bytes}`;
      kept.push({ file, position: Math.min(bytes, known.bytes), what });
    }
  }
  return { ...found, damages: kept };
}

/** Those that the snapshot knows, the log needs, and nobody finds; also the one right behind it. */
function missingSegments({ header, sealed }: SoundSnapshot, segments: readonly string[], oldest: number): string[] {
  const needed = sealed.map(({ segment }) => segment).filter((segment) => segment >= oldest);
  return [...needed, header.nextBatchSequence].map(segmentFileName).filter((file) => !segments.includes(file));
}

function reportOnSnapshot(
  { report }: SnapshotInspection,
  { comparison }: SegmentInspector,
  missing: readonly string[],
): InspectedFile {
  const { file } = report;
  const damages = [
    ...report.damages,
    ...missing.map((segment) => ({ file: segment, position: 0, what: "the segment is missing" })),
  ];
  if (comparison === undefined) return { ...report, damages };
  const { difference } = comparison;
  if (difference === undefined) return { ...report, note: "equals the fold of all segments before it", damages };
  const what = `it differs from the segments before it: ${difference}`;
  return { ...report, damages: [...damages, { file, position: 0, what }] };
}

/** None where it went since it was listed: unfinished files come and go. */
function otherFile(directory: string, file: string, note: string): InspectedFile[] {
  const status = statSync(join(directory, file), { throwIfNoEntry: false });
  return status === undefined ? [] : [{ file, bytes: status.size, note, damages: [] }];
}

function noteOn(file: string, writerPid: number | undefined): string {
  if (file.endsWith(unfinishedSuffix)) {
    return writerPid === undefined ? "unfinished, removed by the next start" : "being written";
  }
  if (file === reserveFileName) return "room kept for a full disk";
  if (file !== "lock") return "not of the log";
  return writerPid === undefined ? "of a process that is gone" : `of process ${writerPid}, which has the log open`;
}

/**
 * Opens a log directory: lock, recovery, writer, then the engine.
 *
 * What can go wrong: see recovery.ts. Promise: an open that fails leaves no lock, no thread and no handle behind.
 */
import { randomBytes } from "node:crypto";
import type { Engine } from "../../engine.ts";
import { QueueError } from "../../errors.ts";
import type { Timers } from "../../timers.ts";
import { type Clock, EngineTime, systemClock } from "../clock.ts";
import { Model } from "../model.ts";
import { logIdBytes, segmentFileName } from "./format/layout.ts";
import { acquireLockFile, type LockFile } from "./lock-file.ts";
import { makeLogDirectory } from "./log-directory.ts";
import { LogEngine } from "./log-engine.ts";
import { PartitionMessages } from "./reading/partition-messages.ts";
import { SegmentList } from "./reading/segment-list.ts";
import { LogFold } from "./recovery/log-fold.ts";
import { recoverLog } from "./recovery/recovery.ts";
import { createInlineCompactor, createThreadCompactor } from "./snapshots/compactor.ts";
import type { LogReport } from "./snapshots/log-keeper.ts";
import { quarterOf } from "./snapshots/retention.ts";
import { type BatchWriter, createInlineWriter, type Later, startWriterThread } from "./writing/batch-writer.ts";
import { type Disk, isFull, nodeDisk } from "./writing/disk.ts";
import { Reserve, RoomSign } from "./writing/reserve.ts";

/** How a log directory is opened. Only `directory` is needed; sizes are bytes. */
export interface LogEngineOptions {
  /** Made when it is not there. Of the log alone. */
  readonly directory: string;
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /** Random bytes for the id of a new log. Default: the system's. */
  readonly random?: (bytes: number) => Buffer;
  /** A segment is left for a new one before it grows beyond this. Default 64 MiB. */
  readonly segmentBytes?: number;
  /**
   * A snapshot is due when as many bytes of log were sealed since the last one, and at least half as many as that one
   * has. Default 64 MiB.
   */
  readonly snapshotBytes?: number;
  /**
   * When old segments may go: once a snapshot holds what is in them and every known group has consumed all of their
   * messages, those older than `ms`, and the oldest while the log is larger than `bytes`; all of them when the disk is
   * full. Asked whenever a segment is sealed, at the start, and from time to time, so that a message goes at the latest
   * when it is one and a half times as old as `ms`. Default 7 days and 8 GiB.
   */
  readonly retention?: { readonly ms?: number; readonly bytes?: number };
  /** Told of snapshots and of segments that went; of what failed there as well, for nobody else hears of it. */
  readonly report?: (report: LogReport) => void;
  /** Budget for recent messages in memory. Default 64 MiB. */
  readonly memoryBytes?: number;
  /** Kept back for acknowledgements on a full disk (reserve.ts). Default 4 MiB. */
  readonly reserveBytes?: number;
  /** Default: the file system, written by a thread of its own. A given disk is written in this thread and has no lock. */
  readonly disk?: Disk | undefined;
  /** When a given disk is written to; default `setImmediate`. */
  readonly later?: Later;
  /** For looking at the age of what is kept. Default: the system's, which keep no process alive. */
  readonly timers?: Timers;
}

const sevenDaysMs = 7 * 24 * 60 * 60 * 1000;

const unrefTimers: Timers = {
  after(ms, run) {
    const handle = setTimeout(run, ms).unref();
    return () => clearTimeout(handle);
  },
};

/** Rejects with LOCKED, INVALID_ARGUMENT for a directory with other files and no log, CORRUPT, UNKNOWN_FORMAT, STORAGE_FULL or STORAGE_FAILED, or with what the file system says. */
export async function openLogEngine(options: LogEngineOptions): Promise<Engine> {
  const { directory, disk = nodeDisk, later = setImmediate } = options;
  makeLogDirectory(disk, directory);
  const reserveBytes = options.reserveBytes ?? 4 * 1024 * 1024;
  const sign = new RoomSign();
  const reserve = new Reserve(disk, { directory, bytes: reserveBytes, sign });
  const lock = options.disk === undefined ? await acquireLock(directory, reserve) : undefined;
  let writer: BatchWriter | undefined;
  try {
    let time = new EngineTime(options.clock ?? systemClock);
    const model = new Model<PartitionMessages>({ now: () => time.now(), createStore: () => new PartitionMessages() });
    const segmentBytes = options.segmentBytes ?? 64 * 1024 * 1024;
    const retention = { ms: options.retention?.ms ?? sevenDaysMs, bytes: options.retention?.bytes ?? 8 * 1024 ** 3 };
    const segments = new SegmentList(segmentBytes, model, quarterOf(retention));
    const fold = new LogFold(model, segments);
    const recovered = await recoverLog(disk, directory, fold, lock?.formerOwner);
    time = new EngineTime(options.clock ?? systemClock, fold.lastTimeMs);
    const incarnation = fold.incarnations;
    model.resume({ incarnation, nextSequence: recovered.nextCommitSequence });
    model.state.sweep(time.now());
    const logId = recovered.logId ?? (options.random ?? randomBytes)(logIdBytes);
    const engine = new LogEngine({
      nextBatchSequence: recovered.nextBatchSequence,
      segments,
      disk,
      directory,
      logId,
      model,
      time,
      upkeep: {
        compactor: options.disk === undefined ? createThreadCompactor() : createInlineCompactor(disk, later),
        snapshot: recovered.snapshot,
        roomSign: sign.memory,
        snapshotBytes: options.snapshotBytes ?? 64 * 1024 * 1024,
        retention,
        timers: options.timers ?? unrefTimers,
        // In a turn of its own: a listener that throws must not end the upkeep.
        report: (report) => queueMicrotask(() => options.report?.(report)),
      },
      memoryBytes: options.memoryBytes ?? 64 * 1024 * 1024,
      hasReserve: reserve.make(),
      isOwner: () => lock?.isHeld() ?? true,
      onClosed: () => lock?.release(),
    });
    void lock?.lost.then(() => engine.onOwnerLost());
    const newest = segments.newest;
    const fileName = newest === undefined ? undefined : segmentFileName(newest.segment);
    const settings = { directory, logId, fileName, reserveBytes, roomSign: sign.memory, segmentBytes };
    writer =
      options.disk === undefined
        ? await startWriterThread(settings, engine)
        : createInlineWriter(disk, settings, engine, later);
    await engine.start(writer, incarnation + 1);
    return engine;
  } catch (error) {
    await abandon(writer, lock);
    throw error;
  }
}

/** On a full disk the lock takes the room of the reserve: no owner is alive that counts on it. */
async function acquireLock(directory: string, reserve: Reserve): Promise<LockFile> {
  try {
    return await acquireLockFile(directory);
  } catch (error) {
    if (!isFull(error)) throw error;
  }
  reserve.giveUp();
  try {
    return await acquireLockFile(directory);
  } catch (error) {
    if (!isFull(error)) throw error;
    throw new QueueError("STORAGE_FULL", `there is no room for a lock file in ${directory}`, { cause: error });
  }
}

async function abandon(writer: BatchWriter | undefined, lock: LockFile | undefined): Promise<void> {
  await writer?.close();
  lock?.release();
}

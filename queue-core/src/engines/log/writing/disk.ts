/**
 * What the log asks of a file system: a port, so that a test can fail any write or sync, and a simulation can
 * lose what was not synced.
 *
 * Promise of an implementation: what was written survives a crash once `datasync` of the file returned, and a
 * created, renamed or removed name once `syncDirectory` returned. Everything throws as node:fs does.
 */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  read as readCallback,
  readdirSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";

/**
 * Every reason for which the log waits for the disk. Each sync names its own, so that a test can leave one out and
 * show that what it promises is lost without it.
 */
export const syncReasons = [
  "batch",
  "batch taken back",
  "sealed segment",
  "segment header",
  "segment name",
  "mended tail",
  "recovered names",
  "snapshot",
  "snapshot name",
  "made directory",
  "reserve",
] as const;

export type SyncReason = (typeof syncReasons)[number];

export interface Disk {
  /** With its parents, none of them durable yet; no effect when it is there. */
  makeDirectory(directory: string): void;
  list(directory: string): string[];
  /** `create` fails when the file is there. */
  open(path: string, mode: "create" | "existing"): DiskFile;
  rename(from: string, to: string): void;
  remove(path: string): void;
  syncDirectory(directory: string, reason: SyncReason): void;
}

export interface DiskFile {
  size(): number;
  /** Fills `into` from `position` on; resolves with the bytes read, fewer only at the end of the file. */
  read(into: Buffer, position: number): Promise<number>;
  /** All of it. */
  write(bytes: Uint8Array, position: number): void;
  datasync(reason: SyncReason): void;
  truncate(size: number): void;
  close(): void;
}

const fullCodes = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** Whether what a disk threw says that there is no room. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && fullCodes.has(error.code);
}

const read = promisify(readCallback);

export const nodeDisk: Disk = {
  makeDirectory(directory) {
    mkdirSync(directory, { recursive: true });
  },
  list: (directory) => readdirSync(directory),
  open: (path, mode) => nodeFile(openSync(path, mode === "create" ? "wx+" : "r+")),
  rename: (from, to) => renameSync(from, to),
  remove: (path) => unlinkSync(path),
  syncDirectory(directory) {
    // Windows opens no directories; NTFS journals its names itself.
    if (process.platform === "win32") return;
    const descriptor = openSync(directory, "r");
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  },
};

/** Owns the descriptor from now on. */
export function nodeFile(descriptor: number): DiskFile {
  return {
    size: () => fstatSync(descriptor).size,
    async read(into, position) {
      let filled = 0;
      while (filled < into.length) {
        const { bytesRead } = await read(descriptor, into, filled, into.length - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
    write(bytes, position) {
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(descriptor, bytes, written, bytes.length - written, position + written);
      }
    },
    datasync: () => fdatasyncSync(descriptor),
    truncate: (size) => ftruncateSync(descriptor, size),
    close: () => closeSync(descriptor),
  };
}

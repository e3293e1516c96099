/**
 * Disks without one of the log's guards, to show that each guard is missed.
 */

import {
  batchHeaderBytes,
  batchMagic,
  logIdBytes,
  sealBatch,
  segmentHeaderBytes,
} from "../src/engines/log/format/layout.ts";
import type { Disk, DiskFile, SyncReason } from "../src/engines/log/writing/disk.ts";

/** Every sync for that reason says that it was done, and does nothing. */
export function withoutSync(disk: Disk, removed: SyncReason): Disk {
  const withoutDatasync = (file: DiskFile): DiskFile => ({
    ...file,
    datasync(reason) {
      if (reason !== removed) file.datasync(reason);
    },
  });
  return {
    ...passOn(disk),
    open: (path, mode) => withoutDatasync(disk.open(path, mode)),
    syncDirectory(directory, reason) {
      if (reason !== removed) disk.syncDirectory(directory, reason);
    },
  };
}

/** Whatever is read of a segment has the checksums that fit it, as if nobody looked at them. */
export function withoutChecksums(disk: Disk): Disk {
  return {
    ...passOn(disk),
    open(path, mode) {
      const file = disk.open(path, mode);
      if (!path.endsWith(".segment")) return file;
      return {
        ...file,
        async read(into, position) {
          const length = await file.read(into, position);
          const header = Buffer.alloc(segmentHeaderBytes);
          await file.read(header, 0);
          const logId = header.subarray(8, 8 + logIdBytes);
          sealBatches(into.subarray(position === 0 ? segmentHeaderBytes : 0, length), logId);
          return length;
        },
      };
    },
  };
}

function sealBatches(bytes: Buffer, logId: Uint8Array): void {
  for (let at = 0; at + batchHeaderBytes <= bytes.length && bytes.readUInt32LE(at) === batchMagic; ) {
    const length = bytes.readUInt32LE(at + 8);
    if (length < batchHeaderBytes || at + length > bytes.length) return;
    sealBatch(bytes.subarray(at, at + length), logId);
    at += length;
  }
}

/** Methods of a class are no own properties: spreading a disk would lose them. */
function passOn(disk: Disk): Disk {
  return {
    makeDirectory: (directory) => disk.makeDirectory(directory),
    list: (directory) => disk.list(directory),
    open: (path, mode) => disk.open(path, mode),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    syncDirectory: (directory, reason) => disk.syncDirectory(directory, reason),
  };
}

/**
 * A disk for tests that has room for so many bytes: passes everything on to another one, and counts.
 *
 * What it does as real ones do: a write that does not fit is done in part before it fails, a new file takes no
 * byte, nor does a hole at the end of one; what is cut off or removed is free at once.
 */
import type { Disk } from "./disk.ts";

export interface SmallDisk extends Disk {
  /** May be set at any time: other programs take room, or give it back. */
  capacityBytes: number;
  readonly usedBytes: number;
}

interface Extent {
  bytes: number;
}

export function smallDisk(disk: Disk, capacityBytes: number): SmallDisk {
  const extents = new Map<string, Extent>();
  const small: SmallDisk = {
    capacityBytes,
    get usedBytes() {
      return [...extents.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    },
    makeDirectory: (directory) => disk.makeDirectory(directory),
    list: (directory) => disk.list(directory),
    open(path, mode) {
      const file = disk.open(path, mode);
      const extent = extents.get(path) ?? { bytes: file.size() };
      extents.set(path, extent);
      return {
        size: () => file.size(),
        read: (into, position) => file.read(into, position),
        write(bytes, position) {
          const room = Math.max(0, small.capacityBytes - small.usedBytes);
          const fitting = Math.min(bytes.length, Math.max(0, extent.bytes + room - position));
          if (fitting > 0) file.write(bytes.subarray(0, fitting), position);
          extent.bytes = Math.max(extent.bytes, position + fitting);
          if (fitting < bytes.length) throw Object.assign(new Error("ENOSPC on write"), { code: "ENOSPC" });
        },
        datasync: (reason) => file.datasync(reason),
        truncate(size) {
          file.truncate(size);
          extent.bytes = Math.min(size, extent.bytes);
        },
        close: () => file.close(),
      };
    },
    rename(from, to) {
      disk.rename(from, to);
      const extent = extents.get(from);
      extents.delete(from);
      if (extent !== undefined) extents.set(to, extent);
    },
    remove(path) {
      disk.remove(path);
      extents.delete(path);
    },
    syncDirectory: (directory, reason) => disk.syncDirectory(directory, reason),
  };
  return small;
}

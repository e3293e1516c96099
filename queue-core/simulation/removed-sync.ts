/**
 * A disk without one of its guards: every sync for that reason says that it was done, and does nothing.
 */
import type { Disk, SyncReason } from "../src/engines/log/disk.ts";

export function withoutSync(disk: Disk, removed: SyncReason): Disk {
  return {
    makeDirectory: (directory) => disk.makeDirectory(directory),
    list: (directory) => disk.list(directory),
    open(path, mode) {
      const file = disk.open(path, mode);
      return {
        size: () => file.size(),
        read: (into, position) => file.read(into, position),
        write: (bytes, position) => file.write(bytes, position),
        datasync(reason) {
          if (reason !== removed) file.datasync(reason);
        },
        truncate: (size) => file.truncate(size),
        close: () => file.close(),
      };
    },
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    syncDirectory(directory, reason) {
      if (reason !== removed) disk.syncDirectory(directory, reason);
    },
  };
}

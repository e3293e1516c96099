/**
 * A disk for tests: passes everything on to another one, and lets a test look on or make any step fail.
 */
import { basename } from "node:path";
import type { Disk } from "./disk.ts";

export type DiskStep = "create" | "write" | "datasync" | "truncate" | "rename" | "remove" | "syncDirectory";

/** Called before each step; what it throws, the step throws instead of being done. */
export type BeforeStep = (step: DiskStep, fileName: string) => void;

export interface FaultyDisk extends Disk {
  before: BeforeStep;
}

export function faultyDisk(disk: Disk): FaultyDisk {
  const faulty: FaultyDisk = {
    before: () => {},
    makeDirectory: (directory) => disk.makeDirectory(directory),
    list: (directory) => disk.list(directory),
    open(path, mode) {
      const name = basename(path);
      if (mode === "create") faulty.before("create", name);
      const file = disk.open(path, mode);
      return {
        size: () => file.size(),
        read: (into, position) => file.read(into, position),
        write(bytes, position) {
          faulty.before("write", name);
          file.write(bytes, position);
        },
        datasync(reason) {
          faulty.before("datasync", name);
          file.datasync(reason);
        },
        truncate(size) {
          faulty.before("truncate", name);
          file.truncate(size);
        },
        close: () => file.close(),
      };
    },
    rename(from, to) {
      faulty.before("rename", basename(to));
      disk.rename(from, to);
    },
    remove(path) {
      faulty.before("remove", basename(path));
      disk.remove(path);
    },
    syncDirectory(directory, reason) {
      faulty.before("syncDirectory", basename(directory));
      disk.syncDirectory(directory, reason);
    },
  };
  return faulty;
}

/** Lets the steps named fail with that code, each time or only the n-th time from now on (1: the next). */
export function failing(step: DiskStep, code: string, nth?: number): BeforeStep {
  let count = 0;
  return (found) => {
    if (found !== step) return;
    count++;
    if (nth === undefined || count === nth) throw Object.assign(new Error(`${code} on ${step}`), { code });
  };
}

/**
 * The file system for those who only look: files are opened for reading alone, and whatever would change something
 * is refused before it reaches the system.
 */
import { openSync, readdirSync } from "node:fs";
import { type Disk, nodeFile } from "../src/engines/log/writing/disk.ts";

export const readOnlyDisk: Disk = {
  list: (directory) => readdirSync(directory),
  open(path, mode) {
    if (mode !== "existing") return refuse();
    const file = nodeFile(openSync(path, "r"));
    return {
      size: file.size,
      read: file.read,
      close: file.close,
      write: refuse,
      datasync: refuse,
      truncate: refuse,
    };
  },
  makeDirectory: refuse,
  rename: refuse,
  remove: refuse,
  syncDirectory: refuse,
};

function refuse(): never {
  throw new Error("this disk is only read");
}

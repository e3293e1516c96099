import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../log-bed.ts";
import { nodeDisk } from "./disk.ts";
import { failing, faultyDisk } from "./faulty-disk.ts";
import { Reserve } from "./reserve.ts";
import { smallDisk } from "./small-disk.ts";

const bytes = 600_000;

describe("the reserve", () => {
  it("is really written: as many bytes as asked for, which no file system can make smaller", () => {
    const directory = temporaryDirectory();
    expect(new Reserve(nodeDisk, { directory, bytes }).make()).toBe(true);
    const content = readFileSync(join(directory, "reserve"));
    expect(content.length).toBe(bytes);
    for (let at = 0; at + 128 * 1024 <= bytes; at += 128 * 1024) {
      expect(gzipSync(content.subarray(at, at + 128 * 1024)).length).toBeGreaterThan(127 * 1024);
    }
  });

  it("is kept where it is whole, and made anew where it has another size", () => {
    const directory = temporaryDirectory();
    const disk = faultyDisk(nodeDisk);
    new Reserve(disk, { directory, bytes }).make();
    disk.before = () => {
      throw new Error("touched");
    };
    expect(new Reserve(disk, { directory, bytes }).make()).toBe(true);
    disk.before = () => {};
    writeFileSync(join(directory, "reserve"), "cut");
    expect(new Reserve(disk, { directory, bytes }).make()).toBe(true);
    expect(readFileSync(join(directory, "reserve")).length).toBe(bytes);
  });

  it.each(["create", "write", "datasync", "rename"] as const)(
    "leaves nothing behind where %s finds no room: blocks that are allotted late count too",
    (step) => {
      const directory = temporaryDirectory();
      const disk = faultyDisk(nodeDisk);
      disk.before = failing(step, "ENOSPC", 1);
      const reserve = new Reserve(disk, { directory, bytes });
      expect(reserve.make()).toBe(false);
      expect(nodeDisk.list(directory)).toEqual([]);
      expect(reserve.make()).toBe(true);
    },
  );

  it("tells what else went wrong, and leaves nothing behind then either", () => {
    const directory = temporaryDirectory();
    const disk = faultyDisk(nodeDisk);
    disk.before = failing("datasync", "EIO", 1);
    expect(() => new Reserve(disk, { directory, bytes }).make()).toThrow("EIO");
    expect(nodeDisk.list(directory)).toEqual([]);
  });

  it("gives its room up once, and takes it again when there is some", () => {
    const directory = temporaryDirectory();
    const disk = smallDisk(nodeDisk, bytes);
    const reserve = new Reserve(disk, { directory, bytes });
    expect([reserve.giveUp(), reserve.make(), disk.usedBytes]).toEqual([false, true, bytes]);
    expect([reserve.giveUp(), reserve.giveUp(), disk.usedBytes]).toEqual([true, false, 0]);
    disk.capacityBytes = bytes - 1;
    expect([reserve.make(), disk.usedBytes]).toEqual([false, 0]);
    disk.capacityBytes = bytes;
    expect(reserve.make()).toBe(true);
  });
});

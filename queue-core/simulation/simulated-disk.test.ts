import { describe, expect, it } from "vitest";
import { DiskFaults } from "./disk-faults.ts";
import { DiskSession, ProcessDied } from "./disk-session.ts";
import { Random } from "./random.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import { sectorBytes } from "./simulated-file.ts";
import { World } from "./world.ts";

/** Everything unsynced is lost, or kept, or each by chance. */
const survivals = { nothing: 0, everything: 1, some: 0.5 } as const;

function machine(seed = "disk") {
  const world = new World(new Random(seed));
  const disk = new SimulatedDisk(new Random(seed));
  const faults = new DiskFaults();
  let crashes = 0;
  const process = () =>
    new DiskSession({
      disk,
      world,
      faultOf: faults.faultOf,
      onCrash: () => {
        crashes++;
      },
    });
  const first = process();
  first.makeDirectory("/data");
  first.syncDirectory("/", "made directory");
  return {
    disk,
    faults,
    first,
    process,
    crashes: () => crashes,
    losePower: (survival: keyof typeof survivals) =>
      disk.losePower({ random: disk.random, survival: survivals[survival] }),
  };
}

const bytesOf = (letter: string, sectors: number): Buffer => Buffer.alloc(sectors * sectorBytes, letter);

async function contentOf(session: DiskSession, path: string): Promise<string> {
  const file = session.open(path, "existing");
  const bytes = Buffer.alloc(file.size());
  const reading = file.read(bytes, 0);
  file.close();
  return bytes.subarray(0, await reading).toString();
}

/** One letter a sector; a dot is a sector of zeros. */
const sectors = (content: string): string =>
  Array.from({ length: Math.ceil(content.length / sectorBytes) }, (_, index) => content[index * sectorBytes])
    .join("")
    .replaceAll("\0", ".");

function durableFile(letter: string, length: number) {
  const bed = machine();
  // Reads that take a while would need the world to run.
  bed.disk.random.chance = (
    (chance) => (probability: number) =>
      probability === 0.8 || chance(probability)
  )(bed.disk.random.chance.bind(bed.disk.random));
  const file = bed.first.open("/data/f", "create");
  file.write(bytesOf(letter, length), 0);
  file.datasync("batch");
  bed.first.syncDirectory("/data", "segment name");
  return { ...bed, file };
}

describe("the simulated disk at power loss", () => {
  it("keeps what was synced: content, size and name", async () => {
    const { losePower, process } = durableFile("a", 3);
    losePower("nothing");
    expect(sectors(await contentOf(process(), "/data/f"))).toBe("aaa");
  });

  it("loses unsynced bytes and growth, or keeps them, sector by sector and in any order", async () => {
    const found = new Set<string>();
    for (let round = 0; round < 200; round++) {
      const { file, disk, process, losePower } = durableFile("a", 2);
      for (let draws = 0; draws < round; draws++) disk.random.next();
      file.write(bytesOf("b", 3), 0);
      losePower("some");
      found.add(sectors(await contentOf(process(), "/data/f")));
    }
    for (const outcome of ["aa", "bb", "ab", "ba", "bbb", "aab", "ab."]) expect(found).toContain(outcome);
  });

  it("loses all of it, or nothing, where chance says so", async () => {
    for (const [survival, content] of [
      ["nothing", "aa"],
      ["everything", "bbb"],
    ] as const) {
      const { file, process, losePower } = durableFile("a", 2);
      file.write(bytesOf("b", 3), 0);
      losePower(survival);
      expect(sectors(await contentOf(process(), "/data/f")).slice(0, 2)).toBe(content.slice(0, 2));
    }
  });

  it("forgets an unsynced cut: what was cut off is back", async () => {
    const { file, process, losePower } = durableFile("a", 4);
    file.truncate(sectorBytes);
    losePower("nothing");
    expect(sectors(await contentOf(process(), "/data/f"))).toBe("aaaa");
  });

  it("keeps a synced cut, and reads zeros where the file grows again", async () => {
    const { file, first, losePower } = durableFile("a", 4);
    file.truncate(sectorBytes);
    file.datasync("batch taken back");
    file.write(bytesOf("b", 1), 3 * sectorBytes);
    expect(sectors(await contentOf(first, "/data/f"))).toBe("a..b");
    losePower("nothing");
  });

  it("loses a synced file whose name was not", async () => {
    const { first, process, losePower } = durableFile("a", 1);
    const file = first.open("/data/g", "create");
    file.write(bytesOf("b", 1), 0);
    file.datasync("batch");
    losePower("nothing");
    expect(process().list("/data")).toEqual(["f"]);
  });

  it("undoes an unsynced rename and removal whole", () => {
    const { first, process, losePower } = durableFile("a", 1);
    first.rename("/data/f", "/data/g");
    losePower("nothing");
    expect(process().list("/data")).toEqual(["f"]);
    process().remove("/data/f");
    losePower("nothing");
    expect(process().list("/data")).toEqual(["f"]);
    process().remove("/data/f");
    process().syncDirectory("/data", "recovered names");
    losePower("nothing");
    expect(process().list("/data")).toEqual([]);
  });

  it("loses a directory, with all that is in it, whose own name was not synced", () => {
    const { first, process, losePower } = durableFile("a", 1);
    first.makeDirectory("/data/below/deeper");
    first.syncDirectory("/data", "made directory");
    losePower("nothing");
    expect(process().list("/data")).toEqual(["below", "f"]);
    expect(process().list("/data/below")).toEqual([]);
  });

  it("loses nothing at a process crash", async () => {
    const { file, first, process } = durableFile("a", 1);
    file.write(bytesOf("b", 2), 0);
    first.end();
    expect(sectors(await contentOf(process(), "/data/f"))).toBe("bb");
  });
});

describe("faults of the simulated disk", () => {
  it("a failed sync forgets what it did not write: it reads as written, and is gone with the power", async () => {
    const found = new Set<string>();
    for (let round = 0; round < 50; round++) {
      const { file, disk, faults, first, process, losePower } = durableFile("a", 2);
      for (let draws = 0; draws < round; draws++) disk.random.next();
      file.write(bytesOf("b", 2), 0);
      faults.plan({ nth: 1, fault: "EIO" });
      expect(() => file.datasync("batch")).toThrow("EIO");
      expect(sectors(await contentOf(first, "/data/f"))).toBe("bb");
      file.datasync("batch");
      losePower("nothing");
      found.add(sectors(await contentOf(process(), "/data/f")));
    }
    expect([...found].sort()).toEqual(["aa", "ab", "ba", "bb"]);
  });

  it("a full disk takes the part that fits and every overwrite, and makes no new file", async () => {
    const { file, disk, first } = durableFile("a", 2);
    disk.capacityBytes = disk.usedBytes + sectorBytes;
    expect(() => file.write(bytesOf("b", 2), 2 * sectorBytes)).toThrow("ENOSPC");
    expect(sectors(await contentOf(first, "/data/f"))).toBe("aab");
    file.write(bytesOf("c", 3), 0);
    expect(() => first.open("/data/g", "create")).toThrow("ENOSPC");
    first.remove("/data/f");
    first.open("/data/g", "create");
  });

  it("a process that dies at a step has done it in part, is told so once, and does nothing after it", async () => {
    const { file, faults, first, process, crashes } = durableFile("a", 1);
    faults.plan({ nth: 2, fault: "crash" });
    file.write(bytesOf("b", 1), 0);
    expect(() => file.write(bytesOf("c", 4), 0)).toThrow(ProcessDied);
    expect(crashes()).toBe(1);
    expect(() => file.write(bytesOf("d", 1), 0)).toThrow(ProcessDied);
    expect(() => first.list("/data")).toThrow(ProcessDied);
    expect(crashes()).toBe(1);
    expect(sectors(await contentOf(process(), "/data/f"))).toMatch(/^[bc]c*$/);
  });

  it("throws as node:fs does for what is there already, or is not", () => {
    const { first } = durableFile("a", 1);
    expect(() => first.open("/data/f", "create")).toThrow("EEXIST");
    expect(() => first.open("/data/none", "existing")).toThrow("ENOENT");
    expect(() => first.remove("/data/none")).toThrow("ENOENT");
    expect(() => first.list("/none")).toThrow("ENOENT");
  });
});

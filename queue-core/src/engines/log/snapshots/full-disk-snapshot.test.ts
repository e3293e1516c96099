/** What becomes of snapshots, and of acknowledgements because of them, while the disk is full. */
import { describe, expect, it } from "vitest";
import type { Engine, Lease } from "../../../engine.ts";
import { manualClock } from "../../clock.ts";
import { allTexts, append, openLog, refusalOf, temporaryDirectory } from "../log-bed.ts";
import { type Disk, nodeDisk } from "../writing/disk.ts";
import { faultyDisk } from "../writing/faulty-disk.ts";
import { type SmallDisk, smallDisk } from "../writing/small-disk.ts";
import { fillSegment, openWatched, snapshotPaths } from "./snapshot-bed.ts";

const reserveBytes = 8_000;
const held = { namespace: "n", key: "large", value: Buffer.alloc(6_000, "x") };
const place = { group: "g", topic: "t", partition: 0 };

/** Reads of segments wait while `hold` is set. */
function holdingDisk(disk: Disk): Disk & { hold: Promise<void> | undefined; held: () => void } {
  const holding = {
    ...disk,
    hold: undefined as Promise<void> | undefined,
    held: () => {},
    open(path: string, mode: "create" | "existing") {
      const file = disk.open(path, mode);
      if (!path.endsWith(".segment")) return file;
      return {
        ...file,
        async read(into: Buffer, position: number) {
          if (holding.hold !== undefined) holding.held();
          await holding.hold;
          return file.read(into, position);
        },
      };
    },
  };
  return holding;
}

/** 40,000 bytes of disk, 8,000 of them for the reserve; a snapshot takes more than 6,000. */
async function openSmall() {
  const directory = temporaryDirectory();
  const small = smallDisk(nodeDisk, 40_000);
  const disk = holdingDisk(small);
  const faulty = faultyDisk(disk);
  const clock = manualClock();
  const options = { disk: faulty, clock, reserveBytes, segmentBytes: 4_000, snapshotBytes: 1 };
  const log = await openWatched(directory, options);
  const lease = (await log.engine.acquireLease({ ...place, member: "m", ttlMs: 1e9 })) as Lease;
  return { directory, small, disk, faulty, clock, lease, ...log };
}

async function fill(engine: Engine): Promise<string[]> {
  const stored: string[] = [];
  for (;;) {
    const text = `${stored.length} ${"m".repeat(80)}`;
    try {
      await engine.commit(append(text));
    } catch (error) {
      expect(error).toMatchObject({ code: "STORAGE_FULL" });
      return stored;
    }
    stored.push(text);
  }
}

/** How many bytes of commits of an owner found room, one after the other. */
async function acknowledgeAll(engine: Engine, fence: Lease): Promise<number> {
  const put = [{ namespace: "n", key: "a", value: Buffer.alloc(100, "a") }];
  for (let stored = 0; ; stored++) {
    const commit = { fence, advance: { ...place, to: 0 }, put };
    const isStored = await engine.commit(commit).then(
      () => true,
      () => false,
    );
    if (!isStored) return stored * 100;
  }
}

async function serveAgain(engine: Engine, small: SmallDisk, clock: ReturnType<typeof manualClock>): Promise<void> {
  small.capacityBytes = 200_000;
  await expect
    .poll(() => {
      clock.advance(500);
      return engine.commit(append("again")).then(
        () => "stored",
        () => "refused",
      );
    })
    .toBe("stored");
}

describe("a snapshot on a full disk", () => {
  it("that was under way takes nothing of what the reserve gave up, and is taken after a later seal", async () => {
    const { directory, small, disk, clock, engine, lease, next, reports } = await openSmall();
    await engine.commit({ put: [held], advance: { ...place, to: 0 } });
    const begun = new Promise<void>((resolve) => {
      disk.held = resolve;
    });
    const { promise, resolve: goOn } = Promise.withResolvers<void>();
    disk.hold = promise;
    const stored = await fill(engine);
    await begun;
    const freeBytes = small.capacityBytes - small.usedBytes;
    expect(freeBytes).toBeGreaterThanOrEqual(reserveBytes);
    disk.hold = undefined;
    goOn();
    await expect.poll(() => reports).not.toEqual([]);
    expect(reports[0]).toMatchObject({
      kind: "snapshot failed",
      reason: expect.stringContaining("belongs to acknowledgements"),
    });
    expect(snapshotPaths(directory)).toEqual([]);
    expect(small.capacityBytes - small.usedBytes).toBe(freeBytes);
    expect(await acknowledgeAll(engine, lease)).toBeGreaterThan(reserveBytes / 4);

    await serveAgain(engine, small, clock);
    expect(reports.map(({ kind }) => kind)).not.toContain("snapshot taken");
    small.capacityBytes = 1e9;
    while (snapshotPaths(directory).length === 0) await engine.commit(append("more"));
    await next("snapshot taken");
    await engine.close();
    const again = await openLog(directory);
    expect((await allTexts(again)).slice(0, stored.length)).toEqual(stored);
    expect((await again.readState("n", ["large"]))[0]?.equals(held.value)).toBe(true);
  });

  it("is not begun", async () => {
    const { directory, small, faulty, clock, engine, lease, next, reports } = await openSmall();
    const steps: string[] = [];
    await engine.commit({ put: [held], advance: { ...place, to: 0 } });
    await next("snapshot taken");
    small.capacityBytes = small.usedBytes;
    await refusalOf(engine.commit(append("refused")));
    faulty.before = (step, name) => {
      if (name.includes(".snapshot")) steps.push(`${step} ${name}`);
    };
    // On the room of the reserve segments are sealed, and none of it is for a snapshot.
    expect(await acknowledgeAll(engine, lease)).toBeGreaterThan(reserveBytes / 4);
    expect(steps).toEqual([]);
    const before = snapshotPaths(directory);
    await serveAgain(engine, small, clock);
    while (snapshotPaths(directory)[0] === before[0]) await engine.commit(append("more"));
    await next("snapshot taken");
    expect(reports.filter(({ kind }) => kind === "snapshot failed")).toEqual([]);
  });
});

it("a disk without any room is not tried again and again for the sake of what could go", async () => {
  const { directory, small, faulty, engine, next } = await openSmall();
  small.capacityBytes = 1e9;
  // No group is known: all of it may go.
  for (let seals = 0; seals < 3; seals++) await fillSegment(engine, directory, "m".repeat(100));
  await next("snapshot taken");
  let tries = 0;
  faulty.before = (step, name) => {
    if (step !== "write" || !name.includes(".segment")) return;
    tries++;
    throw Object.assign(new Error("no room"), { code: "ENOSPC" });
  };
  expect((await refusalOf(engine.commit(append("refused")))).code).toBe("STORAGE_FULL");
  // The publish, and once on the room that the reserve gave up.
  await expect.poll(() => tries).toBe(2);
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(tries).toBe(2);
});

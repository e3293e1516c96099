import { describe, expect, it, onTestFinished } from "vitest";
import type { Engine, Lease } from "../../../engine.ts";
import { type ManualClock, manualClock } from "../../clock.ts";
import { allTexts, append, openLog, refusalOf, temporaryDirectory } from "../log-bed.ts";
import { type LogEngineOptions, openLogEngine } from "../open-log-engine.ts";
import { nodeDisk } from "./disk.ts";
import { type BeforeStep, failing, faultyDisk } from "./faulty-disk.ts";
import { type SmallDisk, smallDisk } from "./small-disk.ts";

const owner = { group: "g", topic: "t", partition: 0, member: "m", ttlMs: 60_000 };

async function leaseOf(engine: Engine, partition = 0): Promise<Lease> {
  const lease = await engine.acquireLease({ ...owner, partition });
  if (lease === undefined) throw new Error("somebody else holds it");
  return lease;
}

const acknowledgement = (fence: Lease, to: number) => ({
  fence,
  advance: { group: "g", topic: "t", partition: fence.partition, to },
});
const committed = (engine: Engine, partition = 0) => engine.committedOffset({ ...owner, partition });

/** What the inline writer was asked for is done after this. */
const writerTurn = () => new Promise((resolve) => setImmediate(resolve));

/** What was let in, and whether the rest was refused for want of room. */
async function publishUntilRefused(engine: Engine, prefix: string): Promise<string[]> {
  const stored: string[] = [];
  for (let number = 0; number < 10_000; number++) {
    const text = `${prefix} ${number} ${"x".repeat(80)}`;
    try {
      await engine.commit(append(text));
      stored.push(text);
    } catch (error) {
      expect(error).toMatchObject({ code: "STORAGE_FULL", outcome: "not_stored", retryable: true, retryAfterMs: 500 });
      return stored;
    }
  }
  throw new Error("the disk never filled");
}

interface Bed {
  readonly directory: string;
  readonly disk: SmallDisk;
  readonly clock: ManualClock;
  readonly engine: Engine;
  /** As after a crash: the engine before is left as it is. */
  reopen(): Promise<Engine>;
}

/** 20,000 bytes of disk, 4,000 of them for the reserve. */
async function openSmall(options: Omit<LogEngineOptions, "directory"> = {}): Promise<Bed> {
  const directory = temporaryDirectory();
  const disk = smallDisk(nodeDisk, 20_000);
  const clock = manualClock();
  const settings = { disk, clock, reserveBytes: 4_000, segmentBytes: 6_000, ...options };
  const reopen = async () => {
    const engine = await openLogEngine({ directory, ...settings });
    onTestFinished(() => engine.close());
    return engine;
  };
  return { directory, disk, clock, engine: await openLog(directory, settings), reopen };
}

describe("a full disk", () => {
  const cases: [string, BeforeStep, number][] = [
    ["in the middle of a segment", failing("write", "ENOSPC", 1), 64 * 1024],
    ["at the creation of a segment", failing("create", "ENOSPC", 1), 1],
    ["at the header of a segment", failing("write", "ENOSPC", 1), 1],
    ["at the first batch of a segment", failing("write", "ENOSPC", 2), 1],
    ["of one's quota", failing("write", "EDQUOT", 1), 64 * 1024],
    ["at the longest file there may be", failing("write", "EFBIG", 1), 64 * 1024],
  ];
  it.each(cases)(
    "%s refuses publishes, not the acknowledgement that shares their batch, and serves once there is room",
    async (_where, before, segmentBytes) => {
      const directory = temporaryDirectory();
      const disk = faultyDisk(nodeDisk);
      const clock = manualClock();
      const engine = await openLog(directory, { disk, segmentBytes, clock });
      await engine.commit(append("kept"));
      const lease = await leaseOf(engine);
      disk.before = before;
      const expected = { namespace: "n", key: "a", is: "absent" } as const;
      const put = [{ namespace: "n", key: "a", value: Buffer.from("1") }];
      const underWay = engine.commit({ ...append("refused"), expect: [expected], put });
      const acknowledged = engine.commit(acknowledgement(lease, 1));
      await Promise.resolve();
      const open = engine.commit(append("refused too"));
      for (const error of await Promise.all([underWay, open].map(refusalOf))) {
        expect(error).toMatchObject({ code: "STORAGE_FULL", outcome: "not_stored", retryable: true });
      }
      await acknowledged;
      expect(await committed(engine)).toBe(1);
      clock.advance(500);
      await refusalOf(engine.commit(append("refused, and the disk is looked at")));
      await writerTurn();
      const receipt = await engine.commit({ ...append("after"), expect: [expected], put });
      expect(receipt.offsets).toEqual([1]);
      await engine.commit(append("last"));
      expect(await allTexts(engine)).toEqual(["kept", "after", "last"]);
      await engine.close();
      const again = await openLog(directory);
      expect(await allTexts(again)).toEqual(["kept", "after", "last"]);
      expect(await committed(again)).toBe(1);
    },
  );

  it("poisons the log when the batch cannot be taken back", async () => {
    const disk = faultyDisk(nodeDisk);
    const engine = await openLog(temporaryDirectory(), { disk });
    disk.before = (step) => {
      failing("write", "ENOSPC")(step, "");
      failing("truncate", "EIO")(step, "");
    };
    expect(await refusalOf(engine.commit(append("a")))).toMatchObject({ code: "STORAGE_FAILED", outcome: "unknown" });
    await engine.failed;
  });

  it("refuses publishes without touching the disk, and looks at it at most each 500 ms of engine time", async () => {
    const small = smallDisk(nodeDisk, 20_000);
    const disk = faultyDisk(small);
    const clock = manualClock();
    const engine = await openLog(temporaryDirectory(), { disk, clock, reserveBytes: 4_000 });
    await publishUntilRefused(engine, "m");
    small.capacityBytes = small.usedBytes;
    const steps: string[] = [];
    disk.before = (step, name) => steps.push(`${step} ${name}`);
    for (let number = 0; number < 100; number++) await refusalOf(engine.commit(append("refused")));
    await writerTurn();
    expect(steps).toEqual([]);
    for (let elapsedMs = 0; elapsedMs < 2_000; elapsedMs += 100) {
      await refusalOf(engine.commit(append("refused")));
      await writerTurn();
      clock.advance(100);
    }
    expect(steps.filter((step) => step.startsWith("create"))).toEqual(Array(3).fill("create reserve.unfinished"));
  });

  it("tells a refused commit first what no room would help", async () => {
    const { engine } = await openSmall();
    const known = { namespace: "n", key: "sent before" };
    await engine.commit({ put: [{ ...known, value: Buffer.from("1") }] });
    await publishUntilRefused(engine, "m");
    const repeated = await refusalOf(engine.commit({ ...append("again"), expect: [{ ...known, is: "absent" }] }));
    expect(repeated.code).toBe("CONFLICT");
    await engine.commit({});
  });

  it("lets acknowledgements through on the room of the reserve, and loses nothing when that is used up too", async () => {
    const { engine, disk, reopen } = await openSmall();
    const lease = await leaseOf(engine);
    const texts = await publishUntilRefused(engine, "m");
    disk.capacityBytes = disk.usedBytes + 4_000;
    expect(texts.length).toBeGreaterThan(40);
    let acknowledged = 0;
    let refused: unknown;
    while (refused === undefined) {
      expect(acknowledged).toBeLessThan(1_000);
      const counted = { namespace: "n", key: "counted", value: Buffer.from(String(acknowledged + 1)) };
      const to = Math.min(acknowledged + 1, texts.length);
      await engine.commit({ ...acknowledgement(lease, to), put: [counted] }).then(
        () => acknowledged++,
        (error: unknown) => {
          refused = error;
        },
      );
    }
    expect(refused).toMatchObject({ code: "STORAGE_FULL", outcome: "not_stored", retryAfterMs: 500 });
    expect(acknowledged).toBeGreaterThan(20);
    const again = await reopen();
    expect(await allTexts(again)).toEqual(texts);
    expect(await committed(again)).toBe(Math.min(acknowledged, texts.length));
    expect((await again.readState("n", ["counted"]))[0]?.toString()).toBe(String(acknowledged));
  });

  it("gives a lease only once a former owner's commit that is tried again was stored", async () => {
    const { engine, disk } = await openSmall();
    const lease = await leaseOf(engine);
    await engine.commit(append("m"));
    disk.capacityBytes = disk.usedBytes;
    const refused = refusalOf(engine.commit(append("refused")));
    const acknowledged = engine.commit(acknowledgement(lease, 1));
    await Promise.resolve();
    const read = engine.acquireLease({ ...owner }).then(() => committed(engine));
    expect((await refused).code).toBe("STORAGE_FULL");
    await acknowledged;
    expect(await read).toBe(1);
  });

  it("opens a log, on which publishes are refused and acknowledgements are not, after a crash while it was full", async () => {
    const { engine, disk, clock, reopen } = await openSmall();
    const texts = await publishUntilRefused(engine, "m");
    const before = await leaseOf(engine);
    disk.capacityBytes = disk.usedBytes + 1_000;
    const again = await reopen();
    expect(await allTexts(again)).toEqual(texts);
    expect((await refusalOf(again.commit(append("refused")))).code).toBe("STORAGE_FULL");
    const lease = await leaseOf(again);
    expect(lease.epoch).toBeGreaterThan(before.epoch);
    await again.commit(acknowledgement(lease, 1));
    disk.capacityBytes = 40_000;
    clock.advance(500);
    expect((await refusalOf(again.commit(append("refused, and the disk is looked at")))).code).toBe("STORAGE_FULL");
    await writerTurn();
    await again.commit(append("after"));
    expect(await allTexts(again)).toEqual([...texts, "after"]);
  });

  it("opens a log where not one byte is free, and notes that start before the first commit that finds room", async () => {
    const { engine, disk, clock, reopen } = await openSmall();
    const texts = await publishUntilRefused(engine, "m");
    disk.capacityBytes = disk.usedBytes;
    const full = await reopen();
    expect(await allTexts(full)).toEqual(texts);
    const early = await leaseOf(full);
    expect((await refusalOf(full.commit(acknowledgement(early, 1)))).code).toBe("STORAGE_FULL");
    disk.capacityBytes += 1_000;
    await full.commit(acknowledgement(early, 1));
    const next = await reopen();
    expect(await committed(next)).toBe(1);
    expect((await leaseOf(next)).epoch).toBeGreaterThan(early.epoch);
    disk.capacityBytes = 40_000;
    clock.advance(500);
    await refusalOf(next.commit(append("refused, and the disk is looked at")));
    await writerTurn();
    await next.commit(append("after"));
    expect(await allTexts(await reopen())).toEqual([...texts, "after"]);
  });

  it("does not stop a new log from being opened", async () => {
    const directory = temporaryDirectory();
    const disk = smallDisk(nodeDisk, 0);
    const clock = manualClock();
    const engine = await openLogEngine({ directory, disk, clock, reserveBytes: 4_000 });
    onTestFinished(() => engine.close());
    const topics = [{ name: "t", partitions: 1 }];
    expect((await refusalOf(engine.declareTopics(topics))).code).toBe("STORAGE_FULL");
    disk.capacityBytes = 20_000;
    await engine.declareTopics(topics);
    await refusalOf(engine.commit(append("refused, and the disk is looked at")));
    await writerTurn();
    await engine.commit(append("after"));
    expect(await allTexts(engine)).toEqual(["after"]);
  });
});

/**
 * Faults of a real disk: calls that strace makes fail or wait, and a file system that is full. On Linux; the rest of
 * the suite has the same faults on a disk that pretends.
 */
import { execFileSync } from "node:child_process";
import { rmSync, statfsSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Engine, Lease } from "../../../engine.ts";
import type { QueueError } from "../../../errors.ts";
import { StoredHistory } from "../format/stored-history.ts";
import { contentsOf, temporaryDirectory } from "../log-bed.ts";
import { openLogEngine } from "../open-log-engine.ts";
import { hear, startChild } from "../recovery/child-run.ts";
import { batchesOf, readTrace, startTraced, type TraceEvent, whyNoTrace } from "./traced-child.ts";

const nothingMayBeLeftOut = process.env.CI === "true" && process.platform === "linux";

async function open(directory: string): Promise<Engine> {
  const engine = await openLogEngine({ directory });
  onTestFinished(() => engine.close());
  return engine;
}

/** Told commits whose batch was not synced when they were told. */
function toldEarly(events: readonly TraceEvent[], directory: string): number[] {
  const batches = batchesOf(directory);
  const early: number[] = [];
  let synced = 0;
  for (const event of events) {
    if (event.kind === "synced") synced++;
    else if (event.sequence >= (batches[synced]?.firstCommitSequence ?? Number.POSITIVE_INFINITY)) {
      early.push(event.sequence);
    }
  }
  return early;
}

describe("a disk whose sync", () => {
  const reason = whyNoTrace();
  beforeEach((context) => {
    if (reason !== undefined && !nothingMayBeLeftOut) context.skip(reason);
  });

  // Of the writer's thread, the first syncs a segment's header and the next two the start and the topic.
  it.each([4, 11, 40])(
    "fails stores and acknowledges nothing more, and ends the process (its sync %i)",
    async (nth) => {
      const folder = temporaryDirectory();
      const directory = join(folder, "log");
      const tracePath = join(folder, "trace");
      const child = startTraced({ directory, round: 0, writers: 16 }, `error=EIO:when=${nth}`, tracePath);
      const account = await hear(child);
      expect(account.code).toBe(3);
      expect(account.toldBeforeFailure).toBe(account.told.length);
      expect(account.refused).toContain("STORAGE_FAILED unknown");
      const events = await readTrace(tracePath, child.pid as number);
      expect(toldEarly(events, directory)).toEqual([]);
      const history = new StoredHistory();
      history.add(account);
      await history.verify(await open(directory));
    },
  );

  it("takes long makes commits wait and ride together; none is acknowledged early", async () => {
    const folder = temporaryDirectory();
    const directory = join(folder, "log");
    const tracePath = join(folder, "trace");
    const writers = 48;
    const child = startTraced({ directory, round: 0, writers }, "delay_enter=20000", tracePath);
    const account = await hear(child, ({ lines }) => {
      if (lines === 20 * writers) child.kill("SIGKILL");
    });
    const events = await readTrace(tracePath, child.pid as number);
    expect(events.filter(({ kind }) => kind === "told").length).toBeGreaterThanOrEqual(20 * writers);
    expect(toldEarly(events, directory)).toEqual([]);
    const sizes = batchesOf(directory).map(({ commits }) => commits);
    expect(sizes.filter((commits) => commits === writers).length).toBeGreaterThanOrEqual(15);
    const history = new StoredHistory();
    history.add(account);
    await history.verify(await open(directory));
  });
});

/** Mounts it for this test; gives why it cannot be mounted, or undefined. */
function mountTmpfs(directory: string, sizeBytes: number): string | undefined {
  if (process.platform !== "linux") return "tmpfs is Linux's";
  if (process.getuid?.() !== 0) return "only root may mount a tmpfs";
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", directory], { stdio: "pipe" });
  } catch (error) {
    if (nothingMayBeLeftOut) throw error;
    return `no tmpfs can be mounted: ${error instanceof Error ? error.message : error}`;
  }
  onTestFinished(() => {
    execFileSync("umount", ["--lazy", directory]);
  });
  return undefined;
}

const kibibyte = 1024;

/** Other programs take room on the file system, until this much is left. */
function fillUp(path: string, leftBytes: number): void {
  const { bavail, bsize } = statfsSync(join(path, ".."));
  writeFileSync(path, Buffer.alloc(Math.max(0, bavail * bsize - leftBytes), 1));
  expect(statfsSync(join(path, "..")).bavail * bsize).toBe(leftBytes);
}

describe("a file system that is full", () => {
  it("refuses publishes and lets acknowledgements through, over a SIGKILL, and serves when there is room", async (context) => {
    const mounted = temporaryDirectory();
    const reason = mountTmpfs(mounted, 8 * kibibyte * kibibyte);
    if (reason !== undefined) context.skip(reason);
    const directory = join(mounted, "log");
    const others = join(mounted, "of others");
    // 4 MiB for the reserve, and half a MiB for the log.
    fillUp(others, 4.5 * kibibyte * kibibyte);

    const child = startChild({ directory, round: 0, writers: 16, parts: ["acknowledge"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const account = await hear(child, ({ refused }) => {
      if (refused.length === 64) child.kill("SIGKILL");
    });
    expect(account.signal).toBe("SIGKILL");
    expect(new Set(account.refused)).toEqual(new Set(["STORAGE_FULL not_stored"]));
    const history = new StoredHistory();
    history.add(account);

    const moreOfOthers = join(mounted, "more of others");
    fillUp(moreOfOthers, 0);
    const engine = await open(directory);
    await history.verify(engine);
    const publish = () =>
      engine.commit({ append: [{ topic: "raw", partition: 0, key: "k", value: Buffer.alloc(5_000) }] });
    await expect(publish()).rejects.toMatchObject({ code: "STORAGE_FULL" });

    truncateSync(moreOfOthers, statSync(moreOfOthers).size - 64 * kibibyte);
    const place = { group: "late", topic: "raw", partition: 0 };
    const fence = (await engine.acquireLease({ ...place, member: "m", ttlMs: 60_000 })) as Lease;
    for (let to = 1; to <= 100; to++) await engine.commit({ fence, advance: { ...place, to } });
    await expect(publish()).rejects.toMatchObject({ code: "STORAGE_FULL" });

    for (const path of [others, moreOfOthers]) rmSync(path);
    await expect
      .poll(() =>
        publish().then(
          () => "stored",
          (error: QueueError) => error.code,
        ),
      )
      .toBe("stored");
    await engine.close();
    const again = await open(directory);
    expect(await again.committedOffset(place)).toBe(100);
    expect(statSync(join(directory, "reserve")).size).toBe(4 * kibibyte * kibibyte);
  });

  it("without a byte for the lock, and without a reserve to give up for it, is told and touches nothing", async (context) => {
    const mounted = temporaryDirectory();
    const reason = mountTmpfs(mounted, 8 * kibibyte * kibibyte);
    if (reason !== undefined) context.skip(reason);
    const directory = join(mounted, "log");
    await (await open(directory)).close();
    rmSync(join(directory, "reserve"));
    fillUp(join(mounted, "of others"), 0);

    const before = contentsOf(directory);
    await expect(openLogEngine({ directory })).rejects.toMatchObject({ code: "STORAGE_FULL", retryable: true });
    expect(contentsOf(directory)).toEqual(before);

    rmSync(join(mounted, "of others"));
    await (await open(directory)).close();
  });
});

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { acquireLockFile, liveOwnerOf, spaceOfThisProcess } from "./lock-file.ts";
import { append, refusalOf, temporaryDirectory } from "./log-bed.ts";
import { openLogEngine } from "./open-log-engine.ts";

it.runIf(process.platform === "linux")(
  "the lock of a killed process that nobody has reaped is taken over",
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "plateau-lock-"));
    // The shell's child ends; what the shell has become never asks for it.
    const parent = spawn("/bin/sh", ["-c", "sleep 0.01 & echo $!; exec sleep 1000"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const pid = await new Promise<number>((resolve) => parent.stdout.once("data", (line) => resolve(Number(line))));
      const stat = (): string => readFileSync(`/proc/${pid}/stat`, "utf8");
      await vi.waitFor(() => expect(stat()).toMatch(/\) Z /));
      const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
      const ticks = stat()
        .slice(stat().lastIndexOf(")") + 2)
        .split(" ")[19];
      writeFileSync(
        join(directory, "lock"),
        JSON.stringify({ pid, started: `${boot}/${ticks}`, space: spaceOfThisProcess() }),
      );
      const lock = await acquireLockFile(directory);
      expect(JSON.parse(readFileSync(join(directory, "lock"), "utf8")).pid).toBe(process.pid);
      lock.release();
    } finally {
      parent.kill("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

/** As a container on another machine would have left it: its number is a live one here. */
const foreign = JSON.stringify({ pid: process.pid, started: "x", space: "elsewhere boot pid:[1]" });
const quick = { touchEveryMs: 5, stillMs: 200 };

describe("the lock of another host or container", () => {
  it("is LOCKED while its owner touches it, whatever the number says here", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "lock");
    writeFileSync(path, foreign);
    let beats = 1;
    const owner = setInterval(() => utimesSync(path, beats, beats++), 5);
    try {
      // Long enough for the slowest machine: it is refused at the first touch that is seen.
      const error = await refusalOf(acquireLockFile(directory, { ...quick, stillMs: 60_000 }));
      expect(error.code).toBe("LOCKED");
      expect(error.message).toContain(`process ${process.pid} of another host or container (elsewhere) uses`);
      expect(readFileSync(path, "utf8")).toBe(foreign);
    } finally {
      clearInterval(owner);
    }
  });

  it("is taken over once nobody touched it for long enough", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "lock");
    writeFileSync(path, foreign);
    expect(liveOwnerOf(directory)).toBe(process.pid);
    utimesSync(path, 1, 1);
    expect(liveOwnerOf(directory)).toBeUndefined();
    const lock = await acquireLockFile(directory, quick);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pid: process.pid, space: spaceOfThisProcess() });
    expect([lock.isHeld(), lock.formerOwner]).toEqual([true, "maybe stopped"]);
    lock.release();
  });
});

it("an owner that was driven out stores nothing any more, and leaves the lock to its heir", async () => {
  const directory = temporaryDirectory();
  const engine = await openLogEngine({ directory, reserveBytes: 1024 });
  await engine.declareTopics([{ name: "t", partitions: 1 }]);
  await engine.commit(append("its own"));
  writeFileSync(join(directory, "lock"), foreign);
  expect((await engine.failed).message).toContain("another process took the log over");
  expect(await refusalOf(engine.commit(append("too late")))).toMatchObject({
    code: "STORAGE_FAILED",
    outcome: "not_stored",
  });
  await engine.close();
  expect(readFileSync(join(directory, "lock"), "utf8")).toBe(foreign);
});

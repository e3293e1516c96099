import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { acquireLockFile } from "./lock-file.ts";

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
      writeFileSync(join(directory, "lock"), JSON.stringify({ pid, started: `${boot}/${ticks}` }));
      const lock = acquireLockFile(directory);
      expect(JSON.parse(readFileSync(join(directory, "lock"), "utf8")).pid).toBe(process.pid);
      lock.release();
    } finally {
      parent.kill("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

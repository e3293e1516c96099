import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { clearPostmasterFile } from "./postmaster-file.ts";

let folder = "";
const started: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "plateau postmaster "));
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function run(program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  return child;
}

/** A process that stands for a PostgreSQL: what counts is the folder in its command line. */
function idle(...args: string[]): ChildProcess {
  return run(process.execPath, ["-e", "setInterval(() => {}, 1000)", ...args]);
}

const path = (): string => join(folder, "postmaster.pid");
const enter = (pid: number | undefined): void => writeFileSync(path(), `${pid}\n${folder}\n`);

describe.runIf(process.platform !== "win32")("a postmaster.pid found at start", () => {
  it("is none", async () => {
    expect(await clearPostmasterFile(folder)).toBe("none");
  });

  it("of a process that is gone is left to PostgreSQL", async () => {
    enter(2 ** 22 - 1);
    expect(await clearPostmasterFile(folder)).toBe("dead");
    expect(existsSync(path())).toBe(true);
  });

  it("of another PostgreSQL on this folder: that is stopped", async () => {
    const orphan = idle(folder);
    enter(orphan.pid);
    const ended = new Promise((resolve) => orphan.once("exit", (_, signal) => resolve(signal)));
    expect(await clearPostmasterFile(folder)).toBe("orphan stopped");
    expect(await ended).toBe("SIGINT");
  });

  it("of a stranger who got the number: it is not touched, the file goes", async () => {
    const stranger = idle("elsewhere");
    enter(stranger.pid);
    expect(await clearPostmasterFile(folder)).toBe("foreign");
    expect(existsSync(path())).toBe(false);
    expect(stranger.exitCode ?? stranger.signalCode).toBe(null);
  });

  it.runIf(process.platform === "linux")("of a zombie: the file goes", async () => {
    // The shell's child ends; what the shell has become never asks for it.
    const parent = run("/bin/sh", ["-c", "sleep 0.01 & echo $!; exec sleep 1000"]);
    const pid = await new Promise<number>((resolve) => parent.stdout?.once("data", (line) => resolve(Number(line))));
    await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/stat`, "utf8")).toMatch(/\) Z /));
    enter(pid);
    expect(await clearPostmasterFile(folder)).toBe("zombie");
    expect(existsSync(path())).toBe(false);
  });
});

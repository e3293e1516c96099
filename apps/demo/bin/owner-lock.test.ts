import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { takeLock, waitForLock } from "./owner-lock.mjs";
import { identify } from "./process-identity.mjs";

let folder = "";
const lockPath = (): string => join(folder, "lock");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "plateau-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A process that takes the lock and keeps it; resolves with its first line. */
async function holder(): Promise<{ line: string; kill: () => Promise<void> }> {
  const program = `import { takeLock } from ${JSON.stringify(new URL("owner-lock.mjs", import.meta.url).href)};
    console.log(JSON.stringify(takeLock(${JSON.stringify(lockPath())}))); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const line = await new Promise<string>((resolve) => child.stdout.once("data", (chunk) => resolve(String(chunk))));
  return {
    line: line.trim(),
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

describe("the lock", () => {
  it("has one owner, and is free after its release", () => {
    const first = takeLock(lockPath());
    expect(first.taken).toBe(true);
    expect(takeLock(lockPath())).toEqual({ taken: false, pid: process.pid });
    if (first.taken) first.release();
    expect(readdirSync(folder)).toEqual([]);
    expect(takeLock(lockPath()).taken).toBe(true);
  });

  it("is refused while another process holds it, and taken over after kill -9", async () => {
    const other = await holder();
    expect(JSON.parse(other.line)).toEqual({ taken: true });
    expect(takeLock(lockPath()).taken).toBe(false);
    await other.kill();
    expect(takeLock(lockPath()).taken).toBe(true);
    expect(readdirSync(folder)).toEqual(["lock"]);
  });

  it("of a dead process is given to one of several that want it", async () => {
    writeFileSync(lockPath(), JSON.stringify({ pid: 2 ** 22 - 1, started: "never" }));
    const wanting = await Promise.all([holder(), holder(), holder()]);
    const taken = wanting.filter(({ line }) => JSON.parse(line).taken === true);
    await Promise.all(wanting.map(({ kill }) => kill()));
    expect(taken).toHaveLength(1);
  });

  it.runIf(process.platform === "linux" || process.platform === "darwin")(
    "of a process whose pid has been given to another is taken over",
    () => {
      writeFileSync(lockPath(), JSON.stringify({ ...identify(process.ppid), started: "long ago" }));
      expect(takeLock(lockPath()).taken).toBe(true);
    },
  );

  it("whose writer died before it wrote its name is taken over", () => {
    writeFileSync(lockPath(), "");
    expect(takeLock(lockPath()).taken).toBe(false);
    utimesSync(lockPath(), new Date(0), new Date(0));
    expect(takeLock(lockPath()).taken).toBe(true);
  });

  it("is waited for, after saying once who holds it", async () => {
    const other = await holder();
    const waitedFor: number[] = [];
    const taking = waitForLock(lockPath(), (pid) => {
      waitedFor.push(pid);
      void other.kill();
    });
    (await taking)();
    expect(waitedFor).toHaveLength(1);
  });
});

/** What keeps a demo from starting is told in one line, with exit code 1, and leaves nothing behind. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type DemoEnd, endAll, entry, startDemo, temporaryFolder } from "./demo-process.ts";

afterEach(endAll);

function expectOneLine(end: DemoEnd, line: RegExp): void {
  expect(end.stderr.trimEnd().split("\n")).toEqual([expect.stringMatching(line)]);
  expect(end.stdout).not.toMatch(/^ready /m);
  expect(end.code).toBe(1);
}

function expectNothingHeld(dataDir: string): void {
  const held = existsSync(dataDir) ? readdirSync(dataDir).filter((name) => /lock|processes/.test(name)) : [];
  expect(held).toEqual([]);
}

describe("a demo does not start, and says why in one line,", () => {
  it("when its port is taken", async () => {
    const occupant = createServer();
    await new Promise<void>((resolve) => occupant.listen(0, "127.0.0.1", resolve));
    const { port } = occupant.address() as { port: number };
    const dataDir = join(temporaryFolder(), "data");
    try {
      expectOneLine(
        await startDemo({ dataDir, env: { PORT: String(port) } }).ended,
        new RegExp(`port ${port} .*in use`),
      );
    } finally {
      occupant.close();
    }
    expectNothingHeld(dataDir);
  });

  it("when its data folder cannot be made", async () => {
    const file = join(temporaryFolder(), "a file");
    writeFileSync(file, "");
    expectOneLine(await startDemo({ dataDir: join(file, "data") }).ended, /cannot use the data folder .*ENOTDIR/);
  });

  it("when its data folder is damaged, which it leaves as it is", async () => {
    const dataDir = temporaryFolder();
    writeFileSync(join(dataDir, "secrets.json"), "{ torn");
    expectOneLine(await startDemo({ dataDir }).ended, /secrets\.json cannot be read/);
    expectNothingHeld(dataDir);
  });

  it.each([
    ["PORT", "seventy", /PORT must be a number/],
    ["PORT", "70000", /PORT must be a number/],
    ["HOST", "192.0.2.1", /HOST 192\.0\.2\.1 is no address of this machine/],
    ["LOG_LEVEL", "loud", /LOG_LEVEL must be one of/],
    ["ADMIN_TOKEN", "short", /ADMIN_TOKEN must be/],
    ["DATABASE_URL", "mysql://elsewhere", /DATABASE_URL must be a postgresql/],
    ["REDIS_URL", "http://:topsecret@127.0.0.1", /^REDIS_URL must be a redis:\/\/ or rediss:\/\/ address$/],
    ["REDIS_URL", "redis://:topsecret@127.0.0.1:1", /^REDIS_URL: Redis at 127\.0\.0\.1:1 cannot be used: .*REFUSED/],
  ])("when %s is %s", async (name, value, line) => {
    const dataDir = join(temporaryFolder(), "data");
    const end = await startDemo({ dataDir, env: { [name]: value } }).ended;
    expectOneLine(end, line);
    expect(end.stdout + end.stderr).not.toContain("topsecret");
    expectNothingHeld(dataDir);
  });

  it("when an option is unknown", async () => {
    expectOneLine(await startDemo({ dataDir: temporaryFolder(), args: ["--frehs"] }).ended, /unknown option --frehs/);
  });

  it("when Node is too old", () => {
    const disguise = join(temporaryFolder(), "old-node.cjs");
    writeFileSync(
      disguise,
      `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.4" } });`,
    );
    const run = spawnSync(process.execPath, ["--require", disguise, entry, "demo"], { encoding: "utf8" });
    expectOneLine({ code: run.status, stdout: run.stdout, stderr: run.stderr }, /^Node 18\.20\.4 is too old/);
  });
});

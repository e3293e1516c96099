/** Starting, stopping, killing and starting again, on real processes with the pages in front. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  adminToken,
  allPids,
  type Demo,
  endAll,
  isRunning,
  killIfAlive,
  portAnswers,
  startDemo,
  temporaryFolder,
  untilGone,
} from "./demo-process.ts";

afterEach(endAll);

const stopsWithinMs = 5_000;

async function titlesOf(url: string): Promise<readonly string[]> {
  const answer = await fetch(`${url}/api/sales`);
  return ((await answer.json()) as { sales: { title: string }[] }).sales.map(({ title }) => title);
}

async function makeSale(url: string, title: string): Promise<void> {
  const answer = await fetch(`${url}/api/ops/sales`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    body: JSON.stringify({ title, stock: 5 }),
  });
  expect(answer.status).toBe(201);
}

/** Sends the signal and expects that nothing of the demo is left in time. */
async function stopAndExpectNothingLeft(demo: Demo, signal: NodeJS.Signals): Promise<void> {
  const url = await demo.ready;
  const pids = allPids(demo);
  expect(pids.length).toBeGreaterThanOrEqual(6);
  demo.signal(signal);
  const end = await demo.ended;
  await untilGone(pids, stopsWithinMs);
  expect(end.code).toBe(0);
  expect(await portAnswers(url)).toBe(false);
  expect(existsSync(join(demo.dataDir, "owner.lock"))).toBe(false);
  expect(existsSync(join(demo.dataDir, "queue", "lock"))).toBe(false);
  expect(existsSync(join(demo.dataDir, "postgres", "postmaster.pid"))).toBe(false);
}

describe("a demo", () => {
  it("serves the shop, keeps its data over a stop, leaves nothing behind, and forgets with --fresh", async () => {
    const dataDir = temporaryFolder();
    const first = startDemo({ dataDir });
    const url = await first.ready;
    expect(await (await fetch(url)).text()).toContain("</html>");
    await makeSale(url, "Kept over a restart");
    await stopAndExpectNothingLeft(first, "SIGTERM");

    const second = startDemo({ dataDir });
    expect(await titlesOf(await second.ready)).toContain("Kept over a restart");
    await stopAndExpectNothingLeft(second, "SIGINT");

    const fresh = startDemo({ dataDir, args: ["--fresh"] });
    expect(await titlesOf(await fresh.ready)).not.toContain("Kept over a restart");
    await stopAndExpectNothingLeft(fresh, "SIGTERM");
  });

  it("refuses a data folder that another demo uses, which goes on", async () => {
    const first = startDemo({ dataDir: temporaryFolder() });
    const url = await first.ready;
    const second = await startDemo({ dataDir: first.dataDir }).ended;
    expect(second.code).toBe(1);
    expect(second.stderr.trimEnd()).toMatch(/^process \d+ already uses the data folder .*; stop it, or set DATA_DIR$/);
    expect((await fetch(url)).status).toBe(200);
  });

  it("starts again by itself after kill -9 of every process, with its data", async () => {
    const killed = startDemo({ dataDir: temporaryFolder() });
    await makeSale(await killed.ready, "Survives a kill");
    const pids = allPids(killed);
    for (const pid of [killed.pid, ...pids]) killIfAlive(pid);
    await untilGone(pids, stopsWithinMs);

    const next = startDemo({ dataDir: killed.dataDir });
    expect(await titlesOf(await next.ready)).toContain("Survives a kill");
  });

  it("takes its children with it when only the supervisor is killed", async () => {
    const demo = startDemo({ dataDir: temporaryFolder() });
    await demo.ready;
    const pids = allPids(demo);
    killIfAlive(demo.pids().supervisor);
    expect((await demo.ended).code).not.toBe(0);
    await untilGone(pids, stopsWithinMs);
  });

  it("stops a PostgreSQL that a killed demo left running, and starts on its folder", async () => {
    const killed = startDemo({ dataDir: temporaryFolder() });
    await makeSale(await killed.ready, "Survives an orphan");
    const { supervisor, children, postgres } = killed.pids();
    for (const pid of [killed.pid, supervisor, ...children]) killIfAlive(pid);
    await untilGone([supervisor, ...children], stopsWithinMs);
    expect(isRunning(postgres)).toBe(true);

    const next = startDemo({ dataDir: killed.dataDir });
    expect(await titlesOf(await next.ready)).toContain("Survives an orphan");
    expect(isRunning(postgres)).toBe(false);
  });

  it("brings its back end back when that is killed", async () => {
    const demo = startDemo({ dataDir: temporaryFolder() });
    const url = await demo.ready;
    const before = demo.pids().children;
    // The back end was started last.
    killIfAlive(before.at(-1) ?? 0);
    await expect
      .poll(() => portAnswers(url).then((answers) => answers && demo.pids().children.at(-1) !== before.at(-1)), {
        timeout: 30_000,
      })
      .toBe(true);
    expect((await fetch(`${url}/api/sales`)).status).toBe(200);
  });
});

describe("a stop while a demo is starting", () => {
  it("leaves nothing behind", async () => {
    const demo = startDemo({ dataDir: temporaryFolder() });
    await expect.poll(() => demo.pids().children.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(2);
    const pids = allPids(demo);
    demo.signal("SIGTERM");
    expect((await demo.ended).code).toBe(0);
    await untilGone(pids, stopsWithinMs);
    expect(existsSync(join(demo.dataDir, "owner.lock"))).toBe(false);
  });
});

/** The desk with a real experiment behind it: its process, its sandbox, its tables. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FourWaysReport } from "@plateau/domain";
import { createLog } from "@plateau/hosting";
import { startTestPostgres, type TestDatabase, type TestPostgres } from "@plateau/prisma/testing/postgres";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { FourWaysDesk } from "./four-ways-desk.ts";

let postgres: TestPostgres;
let database: TestDatabase;
let home: string;
let desk: FourWaysDesk;

beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  database = await postgres.createDatabase({ migrated: false });
  home = await mkdtemp(join(tmpdir(), "four ways desk "));
  desk = await FourWaysDesk.open({
    databaseUrl: database.url,
    folder: join(home, "four-ways"),
    log: createLog("test", "silent"),
    output: "inherit",
    size: "small",
  });
});
afterEach(async () => {
  await desk.stop();
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

async function ask(method: string, body?: object): Promise<{ status: number; report: FourWaysReport }> {
  const answer = await fetch(desk.url, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return { status: answer.status, report: FourWaysReport.parse(await answer.json()) };
}

it("runs one experiment at a time, tells its curves as they grow, and stops it without a trace when told to", async () => {
  expect((await ask("GET")).report.state).toBe("idle");
  const begun = await ask("POST", { seed: 5 });
  expect([begun.status, begun.report.state]).toEqual([202, "starting"]);
  expect((await ask("POST", { seed: 6 })).status).toBe(409);
  await vi.waitFor(async () => expect((await ask("GET")).report.curves[0]?.seconds.length).toBeGreaterThan(0), {
    timeout: 30_000,
    interval: 50,
  });
  expect((await ask("GET")).report).toMatchObject({ state: "running", plan: { seed: 5 } });
  expect((await ask("DELETE")).report).toMatchObject({ state: "stopped", remainingMs: null });
  expect(existsSync(join(home, "four-ways"))).toBe(false);
  expect((await ask("POST")).status).toBe(202);
});

it("tells nobody but those who know its path, and takes no body that does not fit", async () => {
  const url = new URL(desk.url);
  expect((await fetch(url.origin)).status).toBe(404);
  expect((await fetch(desk.url, { method: "PUT" })).status).toBe(405);
  expect((await fetch(desk.url, { method: "POST", body: '{"seed":0}' })).status).toBe(400);
  expect((await fetch(desk.url, { method: "POST", body: "x".repeat(2_000) })).status).toBe(400);
  expect((await ask("GET")).report.state).toBe("idle");
});

it("says why an experiment could not go on", async () => {
  await desk.stop();
  desk = await FourWaysDesk.open({
    databaseUrl: "postgresql://nobody:wrong@127.0.0.1:1/none",
    folder: join(home, "four-ways"),
    log: createLog("test", "silent"),
    output: "inherit",
  });
  await ask("POST");
  await vi.waitFor(async () => expect((await ask("GET")).report.state).toBe("failed"), { timeout: 30_000 });
  expect((await ask("GET")).report.problem).toContain("ECONNREFUSED");
});

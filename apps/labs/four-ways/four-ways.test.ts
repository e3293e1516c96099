/** Each way by itself, and the experiment over all four, on a real PostgreSQL and real providers. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FourWaysReport, ways } from "@plateau/domain";
import { startTestPostgres, type TestDatabase, type TestPostgres } from "@plateau/prisma/testing/postgres";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Providers, startProviders } from "../testing/providers.ts";
import { startExperiment } from "./experiment.ts";
import { claim } from "./lab-database.ts";
import { settings } from "./plan.ts";
import { reportLines } from "./print.ts";
import { startWay } from "./run-way.ts";

let postgres: TestPostgres;
let providers: Providers;
let database: TestDatabase;
let home: string;
const opened: (() => Promise<void>)[] = [];

beforeAll(async () => {
  [postgres, providers] = await Promise.all([startTestPostgres(), startProviders()]);
});
afterAll(() => Promise.all([postgres.stop(), providers.stop()]));
beforeEach(async () => {
  [database, home] = await Promise.all([
    postgres.createDatabase({ migrated: false }),
    mkdtemp(join(tmpdir(), "ways ")),
  ]);
});
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

/** What the experiment has in this database: schemas, connections. */
async function traces(): Promise<{ schemas: number; connections: number }> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query<{ schemas: number; connections: number }>(
    `SELECT (SELECT count(*)::int FROM pg_namespace WHERE nspname = 'four_ways') AS schemas,
       (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()
          AND application_name LIKE 'plateau-four-ways%') AS connections`,
  );
  await client.end();
  return rows[0] as { schemas: number; connections: number };
}

const noTraces = { schemas: 0, connections: 0 };
const quick = { ...settings, riskLatencyMs: 3, smsLatencyMs: 3, commitWaitMs: 1 };

const bodyOf = async (answer: Response) => (await answer.json()) as Readonly<Record<string, unknown>>;

async function open(way: (typeof ways)[number], options: { stock: number; waitMs?: number; tokenBurst?: number }) {
  const { stock, ...others } = options;
  const place = {
    databaseUrl: database.url,
    sandboxUrl: providers.url,
    folder: home,
    settings: { ...quick, ...others },
  };
  const schema = await claim(database.url, quick);
  opened.push(() => schema.drop());
  const started = await startWay(way, stock, place);
  opened.push(() => started.stop());
  const ask = (init: RequestInit, path = `/api/sales/${started.saleId}/purchases`) =>
    fetch(`${started.running.url}${path}`, init);
  const buy = (userId: string, headers: Record<string, string> = {}) =>
    ask({
      method: "POST",
      headers: { authorization: `Bearer ${userId}`, "idempotency-key": "first", ...headers },
    });
  return { ...started, ask, buy };
}

describe.each(ways)("%s", (way) => {
  it("sells what there is, once each, and says so in the shop's words", async () => {
    const { buy, ask, saleId, examine } = await open(way, { stock: 2 });
    const answers = [await buy("ann"), await buy("bob"), await buy("cem")];
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 409]);
    const [first, , last] = await Promise.all(answers.map(bodyOf));
    expect(first).toMatchObject({ saleId, userId: "ann", state: "won" });
    expect(last).toMatchObject({ code: "sold-out", status: 409 });

    const again = await buy("ann");
    expect([again.status, (await bodyOf(again)).id]).toEqual([201, first?.id]);
    expect((await buy("eve", { "x-device-id": "emulator-1" })).status).toBe(403);
    expect((await ask({ method: "POST" })).status).toBe(401);
    expect((await buy("dan", { "idempotency-key": "" })).status).toBe(400);
    const own = { headers: { authorization: "Bearer ann" } };
    expect(await (await ask(own, `/api/purchases/${first?.id}`)).json()).toMatchObject({ id: first?.id, state: "won" });
    expect((await ask({ headers: { authorization: "Bearer bob" } }, `/api/purchases/${first?.id}`)).status).toBe(404);

    const truth = await examine();
    expect(truth.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
  });

  it("holds a call no longer than it should, and tells the end where the Location points", async () => {
    const { buy, ask } = await open(way, { stock: 1, waitMs: 0 });
    const answer = await buy("ann");
    expect(answer.status).toBe(202);
    const own = { headers: { authorization: "Bearer ann" } };
    expect(await (await ask(own, answer.headers.get("location") ?? "")).json()).toMatchObject({ state: "won" });
  });
});

it("the token bucket refuses who finds no token, at once, and forgets the try", async () => {
  const { buy, running } = await open("token-bucket", { stock: 5, tokenBurst: 1 });
  const answers = await Promise.all(Array.from({ length: 5 }, (_, number) => buy(`u${number}`)));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(Number(refused[0]?.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(running.told().size).toBe(5 - refused.length);
});

it("all four run on the same load, each tells the truth, and nothing is left of them", async () => {
  const reports: FourWaysReport[] = [];
  const experiment = startExperiment({
    databaseUrl: database.url,
    sandboxUrl: providers.url,
    folder: join(home, "logs"),
    seed: 7,
    size: "small",
    onReport: (report) => reports.push(report),
  });
  const last = FourWaysReport.parse(await experiment.ended);
  expect(last).toMatchObject({ state: "done", problem: null, verdict: "pass", remainingMs: null });
  expect(last.curves.map(({ way }) => way)).toEqual(ways);
  for (const { seconds, truth } of last.curves) {
    expect(seconds.map(({ second }) => second)).toEqual(seconds.map((_, index) => index));
    expect(seconds.reduce((sum, { arrivals }) => sum + arrivals, 0)).toBe(last.plan?.arrivals);
    expect(truth.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
  }
  expect(reports.map(({ state }) => state)).toContain("running");
  expect(reportLines(last).at(-1)).toBe("four ways, seed 7: pass");
  expect(await traces()).toEqual(noTraces);
  expect(existsSync(join(home, "logs"))).toBe(false);
});

it("a stop in the middle of a way ends it, and leaves no table, connection or file", async () => {
  const folder = join(home, "logs");
  const midway = Promise.withResolvers<void>();
  const experiment = startExperiment({
    databaseUrl: database.url,
    sandboxUrl: providers.url,
    folder,
    seed: 7,
    size: "small",
    onReport: ({ curves }) => {
      if ((curves[0]?.seconds.length ?? 0) > 0) midway.resolve();
    },
  });
  await midway.promise;
  await experiment.stop();
  expect((await experiment.ended).state).toBe("stopped");
  await vi.waitFor(async () => expect(await traces()).toEqual(noTraces));
  expect(existsSync(folder)).toBe(false);
});

it("tables and connections that a killed run left behind are gone before the next one begins", async () => {
  const killed = new pg.Client({ connectionString: database.url, application_name: "plateau-four-ways" });
  const ended = new Promise((resolve) => killed.once("end", resolve));
  killed.on("error", () => undefined);
  await killed.connect();
  await killed.query("CREATE SCHEMA four_ways; CREATE TABLE four_ways.stock (old int); BEGIN; TABLE four_ways.stock");
  const schema = await claim(database.url, quick);
  await ended;
  await schema.drop();
  await vi.waitFor(async () => expect(await traces()).toEqual(noTraces));
});

it("a second run on one database is told that one runs already, and harms it not", async () => {
  const first = await claim(database.url, quick);
  await expect(claim(database.url, quick)).rejects.toThrow("already run on this database");
  expect((await traces()).schemas).toBe(1);
  await first.drop();
});

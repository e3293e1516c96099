import { spawnSync } from "node:child_process";
import { jobKindNames, jobQueuePrefix } from "@plateau/domain";
import { Queue } from "bullmq";
import { type PrivateRedis, startPrivateRedis } from "queue-core/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminToken, type GatewayBed, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();
const isInstalled = ["redis-server", "valkey-server"].some((name) => spawnSync(name, ["--version"]).status === 0);

describe.skipIf(!isInstalled && process.env.CI === undefined)("the job board", () => {
  let redis: PrivateRedis;
  let sms: Queue;
  beforeAll(async () => {
    redis = await startPrivateRedis();
    sms = new Queue("sms", { connection: { url: redis.url }, prefix: jobQueuePrefix });
    await sms.add("sms", { text: "hello" }, { jobId: "~1" });
  });
  afterAll(async () => {
    await sms.close();
    await redis.stop();
  });

  const ask = (bed: GatewayBed, path: string, init: RequestInit = {}) => fetch(`${bed.url}/ops/jobs${path}`, init);
  const asAdmin = { headers: { authorization: `Bearer ${adminToken}` } };

  test("shows nothing to whoever has no admin token: neither pages nor files nor jobs", async () => {
    const bed = await startBed({ jobsUrl: redis.url });
    const page = await (await ask(bed, "", asAdmin)).text();
    const file = /static\/js\/main[^"]+/.exec(page)?.[0];
    expect((await ask(bed, `/${file}`, asAdmin)).status).toBe(200);
    for (const path of ["", "/", "/queue/sms", "/api/queues", `/${file}`]) {
      const answer = await ask(bed, path);
      expect([path, answer.status, answer.headers.get("content-type")]).toEqual([
        path,
        401,
        "application/problem+json; charset=utf-8",
      ]);
    }
  });

  test("shows every kind, read-only, with nothing from elsewhere", async () => {
    const bed = await startBed({ jobsUrl: redis.url });
    const page = await ask(bed, "", asAdmin);
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'self'");
    const { queues } = (await (await ask(bed, "/api/queues?activeQueue=sms&page=1", asAdmin)).json()) as {
      queues: { name: string; readOnlyMode: boolean; counts: Record<string, number> }[];
    };
    expect(queues.map(({ name }) => name).sort()).toEqual([...jobKindNames].sort());
    expect(queues.every(({ readOnlyMode }) => readOnlyMode)).toBe(true);
    expect(queues.find(({ name }) => name === "sms")?.counts.waiting).toBe(1);
  });

  test("has no route that changes anything", async () => {
    const bed = await startBed({ jobsUrl: redis.url });
    for (const path of [
      "empty",
      "pause",
      "obliterate",
      "retry/failed",
      "clean/waiting",
      "add",
      "~1/clean",
      "~1/retry",
    ]) {
      for (const method of ["PUT", "POST", "PATCH", "DELETE"]) {
        const { status } = await ask(bed, `/api/queues/sms/${path}`, { ...asAdmin, method });
        expect([`${method} ${path}`, status === 404 || status === 405]).toEqual([`${method} ${path}`, true]);
      }
    }
    expect(await sms.getJobCounts("waiting")).toEqual({ waiting: 1 });
    expect(await sms.isPaused()).toBe(false);
  });

  test("is not there where the jobs are not in Redis", async () => {
    const bed = await startBed();
    expect((await ask(bed, "", asAdmin)).status).toBe(404);
  });
});

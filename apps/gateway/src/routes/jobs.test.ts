import { jobQueuePrefix, OpsJobs, smsJobs } from "@plateau/domain";
import { BullmqJobOffice } from "@plateau/hosting/bullmq";
import { Queue, Worker } from "bullmq";
import { dead, done, type Topic } from "queue-core";
import { findRedisServer, startPrivateRedis } from "queue-core/redis";
import { expect, test, vi } from "vitest";
import { adminToken, type GatewayBed, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();
const admin = { token: adminToken };
const within = { timeout: 20_000, interval: 20 };

const smsOf = async (bed: GatewayBed) =>
  OpsJobs.parse((await bed.call("GET", "/api/ops/jobs", admin)).body).kinds.find(({ kind }) => kind === "sms");

test("failed jobs on the queue are listed with their errors, and retried, by the admin alone", async () => {
  const bed = await startBed();
  for (const [method, path] of [
    ["GET", "/api/ops/jobs"],
    ["POST", "/api/ops/jobs/sms/retry"],
  ] as const) {
    expect((await bed.call(method, path)).status).toBe(401);
  }
  const given: string[] = [];
  let isUp = false;
  await bed.queue.consume<unknown>({
    group: "sms",
    topic: smsJobs as Topic<never> as Topic<unknown>,
    handle: async ([message]) => {
      given.push(message?.key ?? "");
      return isUp ? done : dead("there is no such number");
    },
  });
  await bed.queue.publish(smsJobs, { id: "o_1:created", data: {} as never, attempt: 1, history: [] });
  await vi.waitFor(async () => expect((await smsOf(bed))?.failed).toBe(1), within);
  expect(await smsOf(bed)).toMatchObject({
    waiting: 0,
    failures: [{ id: "o_1:created", reason: "there is no such number" }],
  });
  isUp = true;
  const answer = await bed.call("POST", "/api/ops/jobs/sms/retry", admin);
  expect([answer.status, answer.body]).toEqual([200, { retried: 1 }]);
  await vi.waitFor(() => expect(given).toEqual(["o_1:created", "o_1:created"]), within);
  await vi.waitFor(async () => expect(await smsOf(bed)).toMatchObject({ waiting: 0, failed: 0 }), within);
  expect((await bed.call("POST", "/api/ops/jobs/nothing/retry", admin)).status).toBe(400);
});

test.skipIf(findRedisServer() === undefined)(
  "failed jobs in Redis are listed and retried likewise, and a Redis that is gone is a problem, not a fault",
  async () => {
    const redis = await startPrivateRedis();
    const connection = { url: redis.url, maxRetriesPerRequest: null };
    const jobs = new BullmqJobOffice({ url: redis.url, onError: () => undefined });
    const bed = await startBed({ jobs });
    const queue = new Queue("sms", { connection, prefix: jobQueuePrefix });
    let isUp = false;
    const work = async () => {
      if (!isUp) throw new Error("no answer");
    };
    const worker = new Worker("sms", work, { connection, prefix: jobQueuePrefix });
    queue.on("error", () => undefined);
    worker.on("error", () => undefined);
    await queue.add("sms", { text: "hello" }, { jobId: "~o_1%3Acreated" });
    await vi.waitFor(async () => expect((await smsOf(bed))?.failed).toBe(1), within);
    expect(await smsOf(bed)).toMatchObject({ failures: [{ id: "o_1:created", reason: "no answer" }] });
    isUp = true;
    expect((await bed.call("POST", "/api/ops/jobs/sms/retry", admin)).body).toEqual({ retried: 1 });
    await vi.waitFor(async () => expect(await smsOf(bed)).toMatchObject({ waiting: 0, failed: 0 }), within);
    await worker.close();
    await queue.close();
    await redis.stop();
    const answer = await bed.call("GET", "/api/ops/jobs", admin);
    expect([answer.status, (answer.body as { code: string }).code]).toEqual([503, "unavailable"]);
    await bed.stop();
    await jobs.stop();
  },
);

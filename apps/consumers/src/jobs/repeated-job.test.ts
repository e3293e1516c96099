import { allTopics } from "@plateau/domain";
import { createMemoryEngine, done, openQueue } from "queue-core";
import { expect, test } from "vitest";
import { ManualTime } from "../testing/manual-time.ts";
import { textKind } from "./conformance/text-kind.ts";
import { createEmbeddedJobs } from "./embedded/embedded-jobs.ts";
import { repeatJob } from "./repeated-job.ts";

test("however many processes ask for it, each period has one job, and none is made up for when nobody ran", async () => {
  const { clock, timers, advance, untilTrue } = bound(new ManualTime());
  const queue = await openQueue({ engine: createMemoryEngine({ clock }), topics: allTopics, timers });
  const jobs = createEmbeddedJobs({ queue, timers });
  const ran: string[] = [];
  const errors: unknown[] = [];
  await jobs.work(textKind(), async ({ id }) => {
    ran.push(id);
    return done;
  });
  const options = { jobs, kind: textKind(), data: "", everyMs: 60_000, now: () => queue.now(), timers };
  const start = () => repeatJob({ ...options, onError: (error) => errors.push(error) });
  const processes = await Promise.all([start(), start(), start()]);
  await untilTrue(() => ran.length === 1);
  advance(60_000);
  await untilTrue(() => ran.length === 2);
  for (const { stop } of processes) stop();
  advance(180_000);
  await start();
  await untilTrue(() => ran.length === 3);
  const periods = ran.map((id) => Number(id.split("@")[1]));
  const [first = 0] = periods;
  expect(periods).toEqual([first, first + 1, first + 4]);
  expect(errors).toEqual([]);
  await queue.stop();
});

test("a period longer than a job's id is known is refused", async () => {
  const queue = await openQueue({ engine: createMemoryEngine(), topics: allTopics });
  const { timers } = new ManualTime();
  const jobs = createEmbeddedJobs({ queue, timers });
  const options = { jobs, kind: textKind(), data: "", now: () => queue.now(), timers, onError: () => undefined };
  await expect(repeatJob({ ...options, everyMs: 120_000 })).rejects.toThrow("a period of 120000 ms");
  await queue.stop();
});

const bound = (time: ManualTime) => ({
  clock: time.clock,
  timers: time.timers,
  advance: (ms: number) => time.advance(ms),
  untilTrue: (condition: () => boolean) => time.untilTrue(condition),
});

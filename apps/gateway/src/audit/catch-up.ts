/**
 * Waits until the consumers have caught up with what was published when the audit began, along the way of a
 * purchase: each layer's end is noted once the layer before it has handed everything on.
 *
 * What can go wrong: a group, or whoever does its jobs, that is down or paused never catches up. The wait is bounded; what is left is reported
 * as lag, and the invariants that lean on that group become `unknown`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  admissions,
  type GroupLag,
  groups,
  orders,
  paymentJobs,
  paymentRequests,
  purchaseRequests,
  reservations,
  results,
  type StoredJob,
  smsJobs,
  stockCommands,
} from "@plateau/domain";
import type { JobOffice, JobPlace } from "@plateau/hosting/jobs";
import type { Queue, Topic } from "queue-core";

/** Who reads what, in the order in which one layer's work becomes the next one's messages. */
const layers: readonly (readonly { readonly topic: Topic<never>; readonly groups: readonly string[] }[])[] = [
  [layer(paymentRequests, groups.payment)],
  [layer(purchaseRequests, groups.risk)],
  [layer(stockCommands, groups.stock)],
  [
    layer(results, groups.stats),
    layer(reservations, groups.order, groups.payment, groups.stats),
    layer(admissions, groups.stats),
  ],
  [layer(orders, groups.sms)],
];
/** What these groups made jobs of, in whichever store. */
const jobPlaces: readonly JobPlace<unknown>[] = [
  { name: groups.payment, topic: paymentJobs as Topic<never> as Topic<StoredJob<unknown>> },
  { name: groups.sms, topic: smsJobs as Topic<never> as Topic<StoredJob<unknown>> },
];

const askEveryMs = 25;
const askForJobsEveryMs = 100;

function layer<T>(topic: Topic<T>, ...readers: string[]): { topic: Topic<never>; groups: readonly string[] } {
  return { topic: topic as Topic<never>, groups: readers };
}

/** Resolves with the groups that did not make it until `untilMs` (by `clock`), with how far they are behind. */
export const waitForCatchUp = (queue: Queue, untilMs: number, clock: () => number): Promise<GroupLag[]> =>
  waitForLayers(layers, queue, untilMs, clock);

/** The same for the jobs of all events that are settled by now: what has no job done until then is not on its way. */
export async function waitForJobs(jobs: JobOffice, untilMs: number, clock: () => number): Promise<GroupLag[]> {
  const lag: GroupLag[] = [];
  for (const place of jobPlaces) {
    const behindMessages = await waitForJobsOf(jobs, place, untilMs, clock);
    if (behindMessages > 0) lag.push({ group: place.name, topic: place.topic.name, behindMessages });
  }
  return lag;
}

/** Those that came since do not count, so that payments that never end do not keep the audit waiting. */
async function waitForJobsOf(
  jobs: JobOffice,
  place: JobPlace<unknown>,
  untilMs: number,
  clock: () => number,
): Promise<number> {
  const before = await jobs.pending(place);
  let left: readonly string[] = [...before];
  while (left.length > 0 && clock() < untilMs) {
    await sleep(askForJobsEveryMs);
    const now = await jobs.pending(place);
    left = left.filter((mark) => now.has(mark));
  }
  return left.length;
}

async function waitForLayers(
  waited: typeof layers,
  queue: Queue,
  untilMs: number,
  clock: () => number,
): Promise<GroupLag[]> {
  const lag: GroupLag[] = [];
  for (const readers of waited) {
    const ends = await Promise.all(readers.map(({ topic }) => endsOf(queue, topic)));
    for (const [index, { topic, groups: names }] of readers.entries()) {
      for (const group of names) {
        const behindMessages = await waitForGroup(queue, group, topic, ends[index] ?? [], untilMs, clock);
        if (behindMessages > 0) lag.push({ group, topic: topic.name, behindMessages });
      }
    }
  }
  return lag;
}

/** By topic and partition: the offset before which every group of the topic has committed. */
export async function settledOffsets(queue: Queue): Promise<Map<string, Map<number, number>>> {
  const settled = new Map<string, Map<number, number>>();
  for (const { topic, groups: names } of layers.flat()) {
    const least = new Map<number, number>();
    for (const group of names) {
      for (const { partition, committed } of await queue.groupStatistics(group, topic)) {
        least.set(partition, Math.min(committed, least.get(partition) ?? committed));
      }
    }
    settled.set(topic.name, least);
  }
  return settled;
}

function endsOf(queue: Queue, topic: Topic<never>): Promise<number[]> {
  return Promise.all(
    Array.from(
      { length: topic.partitions },
      async (_, partition) => (await queue.engine.range(topic.name, partition)).end,
    ),
  );
}

async function waitForGroup(
  queue: Queue,
  group: string,
  topic: Topic<never>,
  ends: readonly number[],
  untilMs: number,
  clock: () => number,
): Promise<number> {
  for (;;) {
    const statistics = await queue.groupStatistics(group, topic);
    const behind = statistics.reduce(
      (sum, { partition, committed }) => sum + Math.max(0, (ends[partition] ?? 0) - committed),
      0,
    );
    if (behind === 0 || clock() >= untilMs) return behind;
    await sleep(askEveryMs);
  }
}

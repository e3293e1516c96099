/**
 * One publisher with one message in flight, against a thread that does nothing but write as many bytes and sync.
 *
 * What can go wrong: a write inside a file costs less to sync than one that makes it longer, and the log's file
 * grows; so the bare side appends to a growing file too. One sync in a hundred takes twenty times as long, and which
 * side meets it is chance: what is compared is the median of a round's single times.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Queue } from "../src/index.ts";
import type { BareAnswer, BareJob } from "./bare-sync-thread.ts";
import { inOwnFolder, openLogQueue, purchase, purchaseTopic } from "./bed.ts";
import { inFlight } from "./in-flight.ts";
import { type BenchOptions, type BenchRow, median, percentile, ratioOfRounds } from "./row.ts";

const messages = 1_000;
const topic = purchaseTopic("purchases");

export function benchPublishAlone({ rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  return inOwnFolder("publish-alone", async (folder) => {
    const queue = await openLogQueue(join(folder, "log"), [topic]);
    const thread = new Worker(new URL("./bare-sync-thread.ts", import.meta.url), { execArgv: [] });
    try {
      const bytes = await bytesOfOne(queue, join(folder, "log"));
      const ours: number[] = [];
      const theirs: number[] = [];
      const latenciesMs = new Float64Array(messages * (rounds + 1));
      for (let round = 0; round <= rounds; round++) {
        const own = latenciesMs.subarray(round * messages, (round + 1) * messages);
        await inFlight(messages, 1, (n) => queue.publish(topic, purchase(n)), own);
        ours.push(median(own));
        const job = { path: join(folder, "bare"), position: round * messages * bytes, bytes, writes: messages };
        theirs.push(median(await bare(thread, job)));
      }
      return [rowOf(ours.slice(1), theirs.slice(1), latenciesMs.subarray(messages))];
    } finally {
      await thread.terminate();
      await queue.stop();
    }
  });
}

function rowOf(ours: readonly number[], theirs: readonly number[], latenciesMs: Float64Array): BenchRow {
  return {
    name: "publish-alone vs write + fdatasync",
    unit: "ms",
    ours: median(ours),
    theirs: median(theirs),
    ratio: ratioOfRounds(ours, theirs),
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    rounds: ours.length,
    bar: 1.5,
    barIs: "at most",
  };
}

/** What the log writes for one message that is alone in its batch. */
async function bytesOfOne(queue: Queue, directory: string): Promise<number> {
  const segment = join(directory, "0000000000000000.segment");
  await queue.publish(topic, purchase(0));
  const before = statSync(segment).size;
  await queue.publish(topic, purchase(0));
  const grown = statSync(segment).size - before;
  return grown > 0 ? grown : 300;
}

function bare(thread: Worker, job: BareJob): Promise<Float64Array> {
  return new Promise((resolve, reject) => {
    thread.once("error", reject);
    thread.once("message", (answer: BareAnswer) => {
      thread.off("error", reject);
      resolve(answer.timesMs);
    });
    thread.postMessage(job);
  });
}

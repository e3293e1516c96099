/**
 * One publisher with one message in flight, against a thread that does nothing but write as many bytes and sync.
 *
 * What can go wrong: a write inside a file costs less to sync than one that makes it longer. The bare side of the bar
 * appends to a growing file, as whoever writes and syncs does by itself. The log makes a hole ahead of its batches; a
 * second row shows what it costs against a bare thread that does so too. One sync in a hundred takes twenty times as
 * long, and which side meets it is chance: what is compared is the median of a round's single times. A publisher alone
 * calls so little that its code is slow for the first thousands of messages, so there are some before.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Queue } from "../src/index.ts";
import type { BareAnswer, BareJob } from "./bare-sync-thread.ts";
import { inOwnFolder, openLogQueue, purchase, purchaseTopic } from "./bed.ts";
import { inFlight } from "./in-flight.ts";
import { type BenchOptions, type BenchRow, median, percentile, ratioOfRounds } from "./row.ts";

const messages = 1_000;
const before = 5_000;
const holeBytes = 4 * 1024 * 1024;
const topic = purchaseTopic("purchases");

export function benchPublishAlone({ rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  return inOwnFolder("publish-alone", async (folder) => {
    const queue = await openLogQueue(join(folder, "log"), [topic]);
    const thread = new Worker(new URL("./bare-sync-thread.ts", import.meta.url), { execArgv: [] });
    try {
      for (let n = 0; n < before; n++) await queue.publish(topic, purchase(n));
      const bytes = await bytesOfOne(queue, join(folder, "log"));
      const ours: number[] = [];
      const growing: number[] = [];
      const inHole: number[] = [];
      const latenciesMs = new Float64Array(messages * (rounds + 1));
      for (let round = 0; round <= rounds; round++) {
        const own = latenciesMs.subarray(round * messages, (round + 1) * messages);
        await inFlight(messages, 1, (n) => queue.publish(topic, purchase(n)), own);
        ours.push(median(own));
        const job = { position: round * messages * bytes, bytes, writes: messages };
        growing.push(median(await bare(thread, { ...job, path: join(folder, "growing"), holeBytes: 0 })));
        inHole.push(median(await bare(thread, { ...job, path: join(folder, "hole"), holeBytes })));
      }
      const counted = latenciesMs.subarray(messages);
      return [
        { ...rowOf("publish-alone vs write + fdatasync", ours, growing, counted), bar: 1.5, barIs: "at most" },
        rowOf("publish-alone vs the same in a hole", ours, inHole, counted),
      ];
    } finally {
      await thread.terminate();
      await queue.stop();
    }
  });
}

/** The first round is thrown away. */
function rowOf(name: string, allOurs: readonly number[], allTheirs: readonly number[], latenciesMs: Float64Array) {
  const [ours, theirs] = [allOurs.slice(1), allTheirs.slice(1)];
  return {
    name,
    unit: "ms",
    ours: median(ours),
    theirs: median(theirs),
    ratio: ratioOfRounds(ours, theirs),
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    rounds: ours.length,
  };
}

/** What the log writes for one message that is alone in its batch. Behind that is a hole, of zeros. */
async function bytesOfOne(queue: Queue, directory: string): Promise<number> {
  const lengthOfLog = (): number => {
    const names = readdirSync(directory).filter((name) => name.endsWith(".segment"));
    const bytes = readFileSync(join(directory, names.sort().at(-1) as string));
    let end = bytes.length;
    while (bytes[end - 1] === 0) end--;
    return end;
  };
  await queue.publish(topic, purchase(0));
  const lengthBefore = lengthOfLog();
  await queue.publish(topic, purchase(0));
  return lengthOfLog() - lengthBefore;
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

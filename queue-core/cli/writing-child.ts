/**
 * The running system that process.test.ts looks into: publishes and consumes for ever, in segments of 4 KiB, of
 * which it keeps some 250, with a snapshot after every sixteen. It takes a breath between two messages: a log that is
 * written anew several times a second is nothing that a tool must be able to read.
 *
 *     node writing-child.ts <directory>        prints a line once it has begun
 */
import { setTimeout as breath } from "node:timers/promises";
import { openLogEngine } from "../src/engines/log/open-log-engine.ts";
import { openQueue } from "../src/open-queue.ts";
import { dead, done } from "../src/queue.ts";
import { defineTopic } from "../src/topic.ts";

const [directory = ""] = process.argv.slice(2);
const publishers = 8;

const numbers = defineTopic<{ readonly publisher: number; readonly number: number }>({
  name: "numbers",
  partitions: 3,
  keyOf: ({ publisher }) => String(publisher),
});
const engine = await openLogEngine({
  directory,
  segmentBytes: 4_096,
  snapshotBytes: 65_536,
  retention: { bytes: 1_048_576 },
  memoryBytes: 16_384,
});
const queue = await openQueue({ engine, topics: [numbers], onBackgroundError: () => {} });
await queue.consume({
  group: "readers",
  topic: numbers,
  handle: async ([message]) => (message?.value.number === 10 ? dead("it is ten") : done),
});

for (let publisher = 0; publisher < publishers; publisher++) {
  void (async () => {
    for (let number = 0; ; number++) {
      await queue.publish(numbers, { publisher, number });
      await breath(2);
      if (publisher === 0 && number === 100) console.log("begun");
    }
  })();
}

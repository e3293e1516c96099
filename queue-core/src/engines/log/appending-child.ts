/**
 * The process that kill.test.ts kills: publishes for ever, and prints each commit once it was acknowledged.
 *
 *     node appending-child.ts <directory> <round> <writers>     0 writers: one commit, then no more work
 *
 * A line is `partition offset text`; a text is `round.writer.number`, numbers consecutive from 0 for each writer.
 */
import { writeSync } from "node:fs";
import { openLogEngine } from "./open-log-engine.ts";

const [directory = "", round = "", writers = ""] = process.argv.slice(2);
const partitions = 3;

const engine = await openLogEngine({ directory, segmentBytes: 64 * 1024, memoryBytes: 64 * 1024 });
await engine.declareTopics([{ name: "t", partitions }]);

async function publish(writer: number, number: number): Promise<void> {
  const partition = writer % partitions;
  const text = `${round}.${writer}.${number}`;
  const { offsets } = await engine.commit({
    append: [{ topic: "t", partition, key: String(writer), value: Buffer.from(text) }],
  });
  print(`${partition} ${offsets[0]} ${text}\n`);
}

/** Synchronous: at a kill, no more than one line of a writer is still to be printed. */
function print(line: string): void {
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      // The reader is behind and the pipe does not block; a line this short is written whole or not at all.
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
  }
}

if (writers === "0") await publish(0, 0);
for (let writer = 0; writer < Number(writers); writer++) {
  void (async () => {
    for (let number = 0; ; number++) await publish(writer, number);
  })();
}

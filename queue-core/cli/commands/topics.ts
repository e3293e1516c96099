/** What each topic keeps. "Readable" is what retention and rings left; "ever stored" counts from offset 0. */
import type { Partition } from "../../src/engines/model.ts";
import type { Call, Command } from "../command.ts";
import type { CommandContext } from "../command-context.ts";
import { extentLines } from "../extent-lines.ts";
import { type LogView, withLogView } from "../log-view.ts";
import { asJson } from "../printable.ts";
import { count, left, none, right, tableLines } from "../table.ts";

export const topicsCommand: Command = {
  name: "topics",
  argument: { name: "topic", isRequired: false },
  summary: "Lists the topics of the log, or the partitions of one",
  explanation: ["START is the oldest readable offset, END the one that the next message gets."],
  options: { dir: undefined, partition: undefined, json: undefined },
};

interface PartitionRow {
  readonly partition: number;
  readonly start: number;
  readonly end: number;
  readonly messages: number;
}

interface TopicRow {
  readonly topic: string;
  readonly ringMessages: number | null;
  readonly groups: readonly string[];
  readonly messages: number;
  readonly partitions: readonly PartitionRow[];
}

export async function runTopics(call: Call, { directory, print }: CommandContext): Promise<number> {
  const { rows, extent } = await withLogView(
    directory(),
    () => false,
    async (view) => {
      const names = call.argument === undefined ? view.topics.map(({ name }) => name) : [call.argument];
      return { rows: names.map((name) => topicRow(view, name, call.partition)), extent: view.extent };
    },
  );
  const [named] = rows;
  if (call.json) print(asJson({ ...extent, topics: rows }));
  else if (call.argument === undefined) for (const line of topicLines(rows)) print(line);
  else if (named !== undefined) for (const line of partitionLines(named)) print(line);
  if (!call.json) for (const line of extentLines(extent)) print(line);
  return 0;
}

function topicRow(view: LogView, name: string, only: number | undefined): TopicRow {
  const partitions = view.partitions(name, only);
  return {
    topic: name,
    ringMessages: view.topic(name).ringMessages ?? null,
    groups: [...new Set(partitions.flatMap(({ committed }) => [...committed.keys()]))].sort(),
    messages: partitions.reduce((sum, { start, end }) => sum + end - start, 0),
    partitions: partitions.map(partitionRow),
  };
}

function partitionRow({ index, start, end }: Partition<unknown>): PartitionRow {
  return { partition: index, start, end, messages: end - start };
}

function topicLines(rows: readonly TopicRow[]): readonly string[] {
  return tableLines<TopicRow>(
    [
      left("topic", ({ topic }) => topic),
      right("partitions", ({ partitions }) => count(partitions.length)),
      right("readable", ({ messages }) => count(messages)),
      right("ever stored", ({ partitions }) => count(partitions.reduce((sum, { end }) => sum + end, 0))),
      right("ring", ({ ringMessages }) => (ringMessages === null ? none : count(ringMessages))),
      left("groups", ({ groups }) => (groups.length === 0 ? none : groups.join(", "))),
    ],
    rows,
  );
}

function partitionLines({ topic, partitions }: TopicRow): readonly string[] {
  return tableLines<PartitionRow>(
    [
      left("topic/partition", ({ partition }) => `${topic}/${partition}`),
      right("start", ({ start }) => count(start)),
      right("end", ({ end }) => count(end)),
      right("readable", ({ messages }) => count(messages)),
    ],
    partitions,
  );
}

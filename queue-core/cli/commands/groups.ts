/**
 * Who is behind, and since when it does not move.
 *
 * What can go wrong: a group that was registered and never committed would be missing, and just that one is stuck. It is
 * listed, with everything that is readable as its lag.
 */
import { deadLetterNamespace, groupsNamespace } from "../../src/namespaces.ts";
import type { Call, Command } from "../command.ts";
import type { CommandContext } from "../command-context.ts";
import { extentLines } from "../extent-lines.ts";
import { type LogExtent, type LogView, withLogView } from "../log-view.ts";
import { asJson } from "../printable.ts";
import { count, left, none, right, tableLines, time } from "../table.ts";
import { ToolProblem } from "../tool-problem.ts";

export const groupsCommand: Command = {
  name: "groups",
  argument: { name: "topic", isRequired: false },
  summary: "Lists the groups with what they have not consumed yet, the furthest behind first",
  explanation: [
    "With a topic, or with --group or --partition: partition by partition.",
    "Times are those of the group's first and latest commit of an offset that the log still tells.",
  ],
  options: { dir: undefined, group: undefined, partition: undefined, json: undefined },
};

interface PartitionRow {
  readonly partition: number;
  readonly committed: number;
  readonly end: number;
  readonly lagMessages: number;
  readonly knownSinceMs: number | null;
  readonly lastCommitMs: number | null;
  /** Times that are null are before that of the snapshot. */
  readonly isInSnapshot: boolean;
}

interface GroupRow {
  readonly group: string;
  readonly topic: string;
  readonly lagMessages: number;
  readonly deadLetters: number;
  readonly knownSinceMs: number | null;
  readonly lastCommitMs: number | null;
  readonly isInSnapshot: boolean;
  readonly partitions: readonly PartitionRow[];
}

/** More dead letters than this are shown as this many. */
const countedMax = 100_000;

export async function runGroups(call: Call, { directory, print }: CommandContext): Promise<number> {
  const { rows, extent } = await withLogView(directory(), isOfGroups, async (view) => ({
    rows: groupRows(view, call),
    extent: view.extent,
  }));
  if (call.json) {
    print(asJson({ ...extent, groups: rows }));
    return 0;
  }
  const textOf = timeTextOf(extent);
  const isNarrowed = [call.argument, call.group, call.partition].some((given) => given !== undefined);
  if (rows.length === 0) print("no group reads anything here");
  else for (const line of isNarrowed ? partitionLines(rows, textOf) : groupLines(rows, textOf)) print(line);
  for (const line of extentLines(extent)) print(line);
  return 0;
}

const isOfGroups = (namespace: string): boolean =>
  namespace.startsWith(groupsNamespace("")) || namespace.startsWith("$dead/");

function groupRows(view: LogView, call: Call): readonly GroupRow[] {
  const topics = call.argument === undefined ? view.topics.map(({ name }) => name) : [view.topic(call.argument).name];
  const rows = topics.flatMap((topic) =>
    groupsOn(view, topic)
      .filter((group) => call.group === undefined || group === call.group)
      .map((group) => groupRow(view, group, topic, call.partition)),
  );
  if (rows.length === 0 && call.group !== undefined) {
    const known = [...new Set(topics.flatMap((topic) => groupsOn(view, topic)))].sort().join(", ");
    throw new ToolProblem(`there is no group ${call.group}; there ${known === "" ? "is none" : `are ${known}`}`);
  }
  return rows.sort((one, other) => other.lagMessages - one.lagMessages || compare(one, other));
}

function compare(one: GroupRow, other: GroupRow): number {
  return `${one.group} ${one.topic}` < `${other.group} ${other.topic}` ? -1 : 1;
}

/** Registered ones, also before their first commit, and those that have an offset. */
function groupsOn(view: LogView, topic: string): readonly string[] {
  const registered = view.entries(groupsNamespace(topic), countedMax).map(({ key }) => key);
  const committed = view.partitions(topic).flatMap((partition) => [...partition.committed.keys()]);
  return [...new Set([...registered, ...committed])].sort();
}

function groupRow(view: LogView, group: string, topic: string, only: number | undefined): GroupRow {
  const partitions = view.partitions(topic, only).map((partition): PartitionRow => {
    const committed = partition.committed.get(group) ?? 0;
    const advances = view.advancesOf(group, partition);
    return {
      partition: partition.index,
      committed,
      end: partition.end,
      lagMessages: Math.max(0, partition.end - Math.max(committed, partition.start)),
      knownSinceMs: advances?.firstMs ?? null,
      lastCommitMs: advances?.lastMs ?? null,
      isInSnapshot: advances?.firstMs === null,
    };
  });
  const isInSnapshot = partitions.some((partition) => partition.isInSnapshot);
  const known = partitions.flatMap(({ knownSinceMs }) => knownSinceMs ?? []);
  const last = partitions.flatMap(({ lastCommitMs }) => lastCommitMs ?? []);
  return {
    group,
    topic,
    lagMessages: partitions.reduce((sum, { lagMessages }) => sum + lagMessages, 0),
    deadLetters: view.entries(deadLetterNamespace(group, topic), countedMax).length,
    knownSinceMs: known.length === 0 || isInSnapshot ? null : Math.min(...known),
    lastCommitMs: last.length === 0 ? null : Math.max(...last),
    isInSnapshot,
    partitions,
  };
}

function groupLines(rows: readonly GroupRow[], textOf: TimeText): readonly string[] {
  return tableLines<GroupRow>(
    [
      left("group", ({ group }) => group),
      left("topic", ({ topic }) => topic),
      right("lag", ({ lagMessages }) => count(lagMessages)),
      left("most in", ({ topic, partitions }) => mostIn(topic, partitions)),
      right("dead", ({ deadLetters }) => count(deadLetters)),
      left("last commit", (row) => textOf(row, row.lastCommitMs)),
      left("known since", (row) => textOf(row, row.knownSinceMs)),
    ],
    rows,
  );
}

function mostIn(topic: string, partitions: readonly PartitionRow[]): string {
  const furthest = partitions.reduce((most, next) => (next.lagMessages > most.lagMessages ? next : most));
  return furthest.lagMessages === 0 ? none : `${topic}/${furthest.partition}: ${count(furthest.lagMessages)}`;
}

function partitionLines(rows: readonly GroupRow[], textOf: TimeText): readonly string[] {
  return tableLines<PartitionRow & { readonly group: string; readonly topic: string }>(
    [
      left("group", ({ group }) => group),
      left("topic/partition", ({ topic, partition }) => `${topic}/${partition}`),
      right("committed", ({ committed }) => count(committed)),
      right("end", ({ end }) => count(end)),
      right("lag", ({ lagMessages }) => count(lagMessages)),
      left("last commit", (row) => textOf(row, row.lastCommitMs)),
      left("known since", (row) => textOf(row, row.knownSinceMs)),
    ],
    rows.flatMap(({ group, topic, partitions }) => partitions.map((partition) => ({ group, topic, ...partition }))),
  );
}

type TimeText = (row: { readonly isInSnapshot: boolean }, timeMs: number | null) => string;

/** A snapshot tells where a group stands, and not since when. */
function timeTextOf({ snapshot }: LogExtent): TimeText {
  return ({ isInSnapshot }, timeMs) => {
    if (timeMs !== null) return time(timeMs);
    return isInSnapshot && snapshot !== null ? `before ${time(snapshot.timeMs)}` : none;
  };
}

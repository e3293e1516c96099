/**
 * What groups gave up on.
 *
 * What can go wrong: one entry that cannot be read would hide all others. It is shown as it is, as bytes.
 */
import { readDeadLetter } from "../../src/dead-letters.ts";
import { deadLetterNamespace } from "../../src/namespaces.ts";
import type { DeadLetter } from "../../src/queue.ts";
import type { Call, Command } from "../command.ts";
import type { CommandContext } from "../command-context.ts";
import { type LogView, withLogView } from "../log-view.ts";
import { field, headerLines, messageForMachines, messageTitle, valueField } from "../message-lines.ts";
import { asJson, printable, quoted, storedValue } from "../printable.ts";
import { counted, time } from "../table.ts";

const defaultLimit = 10;

export const deadCommand: Command = {
  name: "dead",
  argument: { name: "topic", isRequired: true },
  summary: "Shows the dead letters of a topic: what its groups gave up on, why, and every error before",
  explanation: ["Oldest offset first. `redrive` sends them to their group again."],
  options: {
    dir: undefined,
    group: undefined,
    partition: undefined,
    limit: `at most this many of each group, default ${defaultLimit}`,
    full: undefined,
    json: undefined,
  },
};

/** `letter` is undefined where the entry is no message of a group: what could not be moved when it was due. */
interface Found {
  readonly group: string;
  readonly entryKey: string;
  readonly bytes: Buffer;
  readonly letter: DeadLetter<unknown> | undefined;
}

interface GroupsLetters {
  readonly group: string;
  readonly count: number;
  readonly shown: readonly Found[];
}

export async function runDead(call: Call, { directory, print, program }: CommandContext): Promise<number> {
  const topic = call.argument as string;
  const groups = await withLogView(
    directory(),
    (namespace) => groupOfDeadLetters(namespace, topic) !== undefined,
    async (view) => deadLettersOf(view, topic, call),
  );
  if (call.json) {
    print(asJson({ topic, groups: groups.map(groupForMachines) }));
    return 0;
  }
  if (groups.length === 0) print(`no group gave up on a message of ${topic}`);
  for (const { group, count, shown } of groups) {
    print(`${counted(count, "dead letter")} of group ${group} on ${topic}`);
    for (const found of shown) {
      print("");
      for (const line of letterLines(found, call)) print(line);
    }
    if (shown.length < count) print(`\n… ${counted(count - shown.length, "more", "more")}; --limit shows them`);
    print("");
  }
  if (groups.length > 0) print(`send them again: ${program} redrive ${topic} --group <group>`);
  return 0;
}

/** The group of a namespace of dead letters of that topic; undefined for any other namespace. */
export function groupOfDeadLetters(namespace: string, topic: string): string | undefined {
  const [, group] = namespace.split("/");
  return group !== undefined && namespace === deadLetterNamespace(group, topic) ? group : undefined;
}

function deadLettersOf(view: LogView, topic: string, call: Call): readonly GroupsLetters[] {
  view.partitions(topic, call.partition);
  const groups = view.namespaces.flatMap((namespace) => groupOfDeadLetters(namespace, topic) ?? []);
  return groups
    .filter((group) => call.group === undefined || group === call.group)
    .map((group) => {
      const entries = view.entries(deadLetterNamespace(group, topic), Number.POSITIVE_INFINITY);
      const found = entries
        .map(
          ({ key, value }): Found => ({
            group,
            entryKey: key,
            bytes: value,
            letter: letterIn(group, topic, key, value),
          }),
        )
        .filter(({ letter }) => call.partition === undefined || letter?.message.partition === call.partition);
      return { group, count: found.length, shown: found.slice(0, call.limit ?? defaultLimit) };
    })
    .filter(({ count }) => count > 0);
}

const bytesAsTheyAre = { encode: (bytes: Buffer) => bytes, decode: (bytes: Buffer) => bytes };

function letterIn(group: string, topic: string, key: string, value: Buffer): DeadLetter<unknown> | undefined {
  try {
    const letter = readDeadLetter(group, { name: topic, codec: bytesAsTheyAre }, { key, value });
    return typeof letter.reason === "string" ? letter : undefined;
  } catch {
    return undefined;
  }
}

function letterLines({ bytes, entryKey, letter }: Found, call: Call): readonly string[] {
  const length = call.full ? "full" : "short";
  if (letter === undefined) {
    return [`entry ${quoted(entryKey)}: a delayed message that could not be moved`, ...valueField(bytes, length)];
  }
  const { message, reason, history } = letter;
  return [
    message.offset < 0 ? `half message ${quoted(entryKey)}   key ${quoted(message.key)}` : messageTitle(message),
    field("reason", printable(reason)),
    field("attempts", String(message.attempt)),
    ...history.map(({ atMs, error }) => field("error", `${time(atMs)}  ${printable(error)}`)),
    ...headerLines(message.headers),
    ...valueField(letter.bytes, length),
  ];
}

function groupForMachines({ group, count, shown }: GroupsLetters): Record<string, unknown> {
  return {
    group,
    count,
    deadLetters: shown.map(({ bytes, entryKey, letter }) => {
      if (letter === undefined) return { entryKey, ...storedValue(bytes) };
      const { message, reason, history } = letter;
      return { ...messageForMachines(message, letter.bytes), attempts: message.attempt, reason, history };
    }),
  };
}

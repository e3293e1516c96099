/**
 * The only command that writes: it opens the log as its one owner, moves the dead letters, and closes it.
 *
 * What can go wrong: a process has the log open; then nothing is touched, and the line says how to ask that process.
 * A name mistyped must not make a log or count as "none": topic and group are looked up before the log is opened.
 * A message that a group read is redriven for that group alone, so it would be lost where that group no longer reads
 * the topic. A delayed one, which died before, is for all; a half message is asked about first.
 */
import { isForItsGroupAlone, redriveDeadLetters } from "../../src/dead-letters.ts";
import { liveOwnerOf } from "../../src/engines/log/lock-file.ts";
import { openLogEngine } from "../../src/engines/log/open-log-engine.ts";
import { QueueError } from "../../src/errors.ts";
import { deadLetterNamespace, delayGroup, groupsNamespace } from "../../src/namespaces.ts";
import type { Call, Command } from "../command.ts";
import type { CommandContext } from "../command-context.ts";
import { type LogView, withLogView } from "../log-view.ts";
import { asJson } from "../printable.ts";
import { counted } from "../table.ts";
import { ToolProblem } from "../tool-problem.ts";
import { groupOfDeadLetters } from "./dead.ts";

export const redriveCommand: Command = {
  name: "redrive",
  argument: { name: "topic", isRequired: true },
  summary: "Sends the dead letters of a group to it again",
  explanation: [
    "The only command that writes. It needs the log for itself: while a process has it open it says how to ask that",
    "process instead, and changes nothing.",
  ],
  options: { dir: undefined, group: "the group that gave up on them; required", json: undefined },
};

export async function runRedrive(call: Call, context: CommandContext): Promise<number> {
  const { print } = context;
  const directory = context.directory();
  const topic = call.argument as string;
  const group = call.group;
  if (group === undefined) throw new ToolProblem("redrive: --group is missing: whose dead letters?");
  const keeps = (namespace: string) =>
    namespace === groupsNamespace(topic) || groupOfDeadLetters(namespace, topic) !== undefined;
  const found = await withLogView(directory, keeps, async (view) => deadLettersFor(view, topic, group));
  const redriven = found.count === 0 ? 0 : await redriveAlone(context, directory, group, topic);
  if (call.json) print(asJson({ group, topic, redriven }));
  else if (redriven === 0) print(`group ${group} has no dead letters on ${topic}; nothing was changed`);
  else print(toldOf(redriven, found.kind, group, topic));
  return 0;
}

function toldOf(redriven: number, kind: "halves" | "messages", group: string, topic: string): string {
  return kind === "halves"
    ? `${counted(redriven, "half message")} of group ${group} open again on ${topic}; its check-back is asked at its next start`
    : `${counted(redriven, "dead letter")} of group ${group} sent again on ${topic}; it gets them at its next start`;
}

interface FoundLetters {
  readonly count: number;
  readonly kind: "halves" | "messages";
}

function deadLettersFor(view: LogView, topic: string, group: string): FoundLetters {
  view.topic(topic);
  const dead = view.entries(deadLetterNamespace(group, topic), Number.POSITIVE_INFINITY);
  const count = dead.length;
  if (count > 0 && !dead.some(isForItsGroupAlone)) return { count, kind: group === delayGroup ? "messages" : "halves" };
  const readers = view.entries(groupsNamespace(topic), Number.POSITIVE_INFINITY).map(({ key }) => key);
  if (readers.includes(group)) return { count, kind: "messages" };
  const known = readers.length === 0 ? "no group reads it" : `it is read by ${readers.join(", ")}`;
  throw new ToolProblem(`group ${group} does not read ${topic}, so nobody would get what is redriven for it; ${known}`);
}

async function redriveAlone(context: CommandContext, directory: string, group: string, topic: string): Promise<number> {
  try {
    const engine = await openLogEngine({ directory });
    try {
      const config = engine.topic(topic);
      if (config === undefined) throw new ToolProblem(`there is no topic ${topic}`);
      return await redriveDeadLetters(engine, group, config);
    } finally {
      await engine.close();
    }
  } catch (error) {
    if (!(error instanceof QueueError && error.code === "LOCKED")) throw error;
    const owner = liveOwnerOf(directory);
    const who = owner === undefined ? "another process" : `process ${owner}`;
    throw new ToolProblem(`${who} has ${directory} open; ${context.redriveWhileOpen(group, topic, directory)}`);
  }
}

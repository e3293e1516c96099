/** Messages as they are stored, in order of time over all partitions. No group, no offset moves. */
import type { StoredMessage } from "../../src/engine.ts";
import type { Call, Command } from "../command.ts";
import type { CommandContext } from "../command-context.ts";
import { type LogView, withLogView } from "../log-view.ts";
import { headerLines, messageForMachines, messageTitle, valueField } from "../message-lines.ts";
import { asJson } from "../printable.ts";
import { ToolProblem } from "../tool-problem.ts";

const defaultLimit = 10;

export const peekCommand: Command = {
  name: "peek",
  argument: { name: "topic", isRequired: true },
  summary: "Shows messages of a topic in order of time, without a group and without consuming them",
  explanation: ["It begins with the oldest readable ones of all partitions unless told otherwise."],
  options: {
    dir: undefined,
    partition: undefined,
    from: "from this offset on; needs --partition",
    group: "from where this group stands: what it gets next",
    last: undefined,
    limit: `at most this many, default ${defaultLimit}`,
    full: undefined,
    json: undefined,
  },
};

export async function runPeek(call: Call, { directory, print }: CommandContext): Promise<number> {
  checkStart(call);
  const messages = await withLogView(
    directory(),
    () => false,
    (view) => peek(view, call),
  );
  if (call.json) {
    print(asJson({ messages: messages.map((message) => messageForMachines(message, message.value)) }));
    return 0;
  }
  if (messages.length === 0) print("there are no messages to show");
  for (const [index, message] of messages.entries()) {
    if (index > 0) print("");
    print(messageTitle(message));
    for (const line of headerLines(message.headers)) print(line);
    for (const line of valueField(message.value, call.full ? "full" : "short")) print(line);
  }
  return 0;
}

function checkStart({ from, group, last, partition }: Call): void {
  if (from !== undefined && partition === undefined) {
    throw new ToolProblem("peek: --from is an offset of one partition; name it with --partition");
  }
  const starts = [from !== undefined && "--from", group !== undefined && "--group", last && "--last"].filter(Boolean);
  if (starts.length > 1) throw new ToolProblem(`peek: ${starts.join(" and ")} exclude each other`);
}

async function peek(view: LogView, call: Call): Promise<readonly StoredMessage[]> {
  const { limit = defaultLimit, group, last } = call;
  const name = call.argument as string;
  const partitions = view.partitions(name, call.partition);
  if (group !== undefined && !view.partitions(name).some(({ committed }) => committed.has(group))) {
    throw new ToolProblem(`group ${group} has no offset on ${name}`);
  }
  const found: StoredMessage[] = [];
  for (const partition of partitions) {
    const groupsNext = group === undefined ? 0 : (partition.committed.get(group) ?? 0);
    const from = last ? partition.end - limit : (call.from ?? groupsNext);
    found.push(...(await view.read(partition, from, limit)));
  }
  found.sort(
    (one, other) => one.timestampMs - other.timestampMs || one.partition - other.partition || one.offset - other.offset,
  );
  return last ? found.slice(-limit) : found.slice(0, limit);
}

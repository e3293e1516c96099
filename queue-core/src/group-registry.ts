/**
 * Which groups read a topic. Publishers in any process need to know, because the slowest of them sets how much
 * room the backlog has; so does the engine, which keeps every message that a group has yet to read.
 *
 * What can go wrong: a group that nobody runs any more would hold the topic's backlog up for ever. It counts on
 * purpose (its messages wait for it) until it is retired by name.
 */
import type { Engine } from "./engine.ts";
import { groupsNamespace } from "./namespaces.ts";
import { hasCode } from "./queue-context.ts";

const present = Buffer.from("1");

/**
 * Tells that the group reads the topic: first the engine, by an advance to where the group stands, so that no message
 * it has yet to read is dropped; then everybody else. Doing it again changes nothing.
 */
export async function registerGroup(
  engine: Engine,
  group: string,
  topic: { readonly name: string; readonly partitions: number },
): Promise<void> {
  const namespace = groupsNamespace(topic.name);
  const [known] = await engine.readState(namespace, [group]);
  if (known !== undefined) return;
  // Once the group is filed its members move its offsets: no advance of a second registration may come after that.
  const expect = [{ namespace, key: group, is: "absent" }] as const;
  try {
    await Promise.all(
      Array.from({ length: topic.partitions }, async (_, partition) => {
        const ref = { group, topic: topic.name, partition };
        const to = await engine.committedOffset(ref);
        await engine.commit({ expect, advance: { ...ref, to } });
      }),
    );
    await engine.commit({ expect, put: [{ namespace, key: group, value: present }] });
  } catch (error) {
    if (!hasCode(error, "CONFLICT")) throw error;
  }
}

/** A retired group holds nothing back any more: neither the topic's backlog nor its old messages. Its offsets go. */
export async function retireGroup(engine: Engine, group: string, topic: string): Promise<void> {
  const put = [{ namespace: groupsNamespace(topic), key: group, value: null }];
  await engine.commit({ retire: { group, topic }, put });
}

export async function groupsOf(engine: Engine, topic: string): Promise<readonly string[]> {
  const entries = await engine.scanState(groupsNamespace(topic), { limit: 1_000 });
  return entries.map((entry) => entry.key);
}

/**
 * Which groups read a topic. Publishers in any process need to know, because the slowest of them sets how much
 * room the backlog has.
 *
 * What can go wrong: a group that nobody runs any more would hold the topic's backlog up for ever. It counts on
 * purpose (its messages wait for it) until it is retired by name.
 */
import type { Engine } from "./engine.ts";
import { groupsNamespace } from "./namespaces.ts";
import { hasCode } from "./queue-context.ts";

const present = Buffer.from("1");

/** Tells that the group reads the topic. Doing it again changes nothing. */
export async function registerGroup(engine: Engine, group: string, topic: string): Promise<void> {
  const namespace = groupsNamespace(topic);
  const [known] = await engine.readState(namespace, [group]);
  if (known !== undefined) return;
  try {
    await engine.commit({
      expect: [{ namespace, key: group, is: "absent" }],
      put: [{ namespace, key: group, value: present }],
    });
  } catch (error) {
    if (!hasCode(error, "CONFLICT")) throw error;
  }
}

/** A retired group no longer counts for the topic's backlog; its offsets stay. */
export async function retireGroup(engine: Engine, group: string, topic: string): Promise<void> {
  await engine.commit({ put: [{ namespace: groupsNamespace(topic), key: group, value: null }] });
}

export async function groupsOf(engine: Engine, topic: string): Promise<readonly string[]> {
  const entries = await engine.scanState(groupsNamespace(topic), { limit: 1_000 });
  return entries.map((entry) => entry.key);
}

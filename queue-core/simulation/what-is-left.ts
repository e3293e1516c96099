/** What a queue still has to do, by its engine: the simulation waits for it, and takes it for stuck when it stays. */
import type { Engine } from "../src/engine.ts";
import { delayNamespace } from "../src/namespaces.ts";

interface Place {
  readonly name: string;
  readonly partitions: number;
}

export async function whatIsDelayed(engine: Engine, topics: readonly Place[]): Promise<string | undefined> {
  for (const { name, partitions } of topics) {
    for (let partition = 0; partition < partitions; partition++) {
      const [delayed] = await engine.scanState(delayNamespace(name, partition), { limit: 1 });
      if (delayed !== undefined) return `delayed ${delayed.key} in ${name}/${partition}`;
    }
  }
  return undefined;
}

export async function whatIsUnread(
  engine: Engine,
  readers: readonly { readonly group: string; readonly topic: Place }[],
): Promise<string | undefined> {
  for (const { group, topic } of readers) {
    for (let partition = 0; partition < topic.partitions; partition++) {
      const { end } = await engine.range(topic.name, partition);
      const committed = await engine.committedOffset({ group, topic: topic.name, partition });
      if (committed < end) return `${group} is at ${committed} of ${end} in ${topic.name}/${partition}`;
    }
  }
  return undefined;
}

/**
 * Reads the entries that a `process` group keeps, without being that group.
 *
 * What can go wrong: a reader that computes another partition than the stage reads nothing and calls it absent;
 * both use `partitionOfKey` over the topic's declared partition count. A view sees only what is committed, so an
 * answer told from it stays true.
 */
import type { Engine } from "./engine.ts";
import { stateNamespace } from "./namespaces.ts";
import type { StateView } from "./queue.ts";
import { partitionOfKey } from "./topic.ts";

export function createStateView(
  engine: Engine,
  group: string,
  topic: { readonly name: string; readonly partitions: number },
): StateView {
  const getMany = async <V>(
    partitionKey: string,
    entryKeys: readonly string[],
  ): Promise<readonly (V | undefined)[]> => {
    const namespace = stateNamespace(group, topic.name, partitionOfKey(partitionKey, topic.partitions));
    const values = await engine.readState(namespace, entryKeys);
    return values.map((value) => (value === undefined ? undefined : (JSON.parse(value.toString("utf8")) as V)));
  };
  return {
    getMany,
    async get<V>(partitionKey: string, entryKey: string) {
      const [value] = await getMany<V>(partitionKey, [entryKey]);
      return value;
    },
  };
}

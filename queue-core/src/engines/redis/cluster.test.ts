/** The whole conformance of an engine on a Redis Cluster of three nodes, for cells on two of them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineConformance } from "../../../conformance/engine-suite.ts";
import { hasRedis, redisHarness, redisTitle } from "../../../conformance/redis-bed.ts";
import { command, until } from "./fault-bed.ts";
import { openRedisEngine } from "./open-redis-engine.ts";
import { type PrivateRedis, startPrivateRedis } from "./private-redis.ts";

const lastSlot = 16_383;
const slotsOf = [
  [0, 5_460],
  [5_461, 10_922],
  [10_923, lastSlot],
] as const;

describe.runIf(hasRedis)(`a cluster of ${redisTitle}`, () => {
  let nodes: readonly PrivateRedis[] = [];
  let cells = 0;

  beforeAll(async () => {
    const settings = { "cluster-enabled": "yes", "cluster-node-timeout": "2000" };
    nodes = await Promise.all(slotsOf.map(() => startPrivateRedis({ appendfsync: "off", settings })));
    for (const [index, { port }] of nodes.entries()) {
      await command(port, "CLUSTER", "ADDSLOTSRANGE", ...(slotsOf[index] as readonly [number, number]));
      await command(port, "CLUSTER", "MEET", "127.0.0.1", nodes[0]?.port ?? 0);
    }
    for (const { port } of nodes) {
      await until(async () => {
        const state = String(await command(port, "CLUSTER", "INFO"));
        return state.includes("cluster_state:ok") && state.includes("cluster_known_nodes:3");
      });
    }
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  });

  const address = () => ({ cluster: nodes.map(({ url }) => url) });

  /** A cell of nobody else, on that node. */
  async function cellOn(node: number): Promise<string> {
    const [first, last] = slotsOf[node] as readonly [number, number];
    for (;;) {
      const cell = `cell-${cells++}`;
      const slot = Number(await command(nodes[0]?.port ?? 0, "CLUSTER", "KEYSLOT", `{${cell}}`));
      if (slot >= first && slot <= last) return cell;
    }
  }

  for (const node of [0, 2]) {
    engineConformance({ title: `redis cluster, node ${node},`, durable: true }, async () =>
      redisHarness(address(), await cellOn(node)),
    );
  }

  it("keeps every key of a cell on the node of the cell", async () => {
    const open = async (node: number) => openRedisEngine({ address: address(), cell: await cellOn(node) });
    const engines = await Promise.all([open(0), open(2)]);
    const sizes = async () => Promise.all(nodes.map(({ port }) => command(port, "DBSIZE").then(Number)));
    const before = await sizes();
    for (const engine of engines) {
      await engine.declareTopics([{ name: "t", partitions: 4 }]);
      const append = [0, 1, 2, 3].map((partition) => ({ topic: "t", partition, key: "k", value: Buffer.from("x") }));
      await engine.commit({ append, put: [{ namespace: "n", key: "k", value: Buffer.from("1") }] });
    }
    const after = await sizes();
    expect(after[0]).toBeGreaterThan(before[0] as number);
    expect(after[1]).toBe(before[1]);
    expect(after[2]).toBeGreaterThan(before[2] as number);
    await Promise.all(engines.map((engine) => engine.close()));
  });
});

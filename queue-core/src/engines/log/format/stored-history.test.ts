import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Commit, Engine } from "../../../engine.ts";
import { createMemoryEngine } from "../../memory.ts";
import type { Told } from "../recovery/child-run.ts";
import { StoredHistory } from "./stored-history.ts";

const raw = (...texts: string[]): Commit => ({
  append: texts.map((text) => ({ topic: "raw", partition: 0, key: "k", value: Buffer.from(text) })),
});
const json = (topic: string, value: object) => ({
  append: [{ topic, partition: 0, key: "k", value: Buffer.from(JSON.stringify(value)) }],
});
const put = (namespace: string, key: string, value: string): Commit => ({
  put: [{ namespace, key, value: Buffer.from(value) }],
});
const advance = (group: string, topic: string, to: number): Commit => ({
  advance: { group, topic, partition: 0, to },
});
const stored = (offset: number, text: string): Told => ({ kind: "stored", sequence: 0, partition: 0, offset, text });

/** Of one writer, one order, and all that follows from them. */
const good: readonly Commit[] = [
  raw("0.0.0", "0.0.1"),
  put("writers", "0.0", "1"),
  advance("readers", "raw", 1),
  put("readers", "0", String(crc32("0.0.0"))),
  json("orders", { key: "k", text: "0.0.0" }),
  advance("counters", "orders", 1),
  json("counts", { key: "k", text: "0.0.0", count: 1 }),
  put("counters/orders/0", "k", "1"),
];
const toldGood = [stored(0, "0.0.0"), { ...stored(0, "0.0.0"), kind: "sent" as const }];

async function verdict(commits: readonly Commit[], told: readonly Told[], moved = 1): Promise<"passes" | "fails"> {
  const engine: Engine = createMemoryEngine();
  await engine.declareTopics([
    { name: "raw", partitions: 3 },
    { name: "orders", partitions: 2 },
    { name: "counts", partitions: 2 },
  ]);
  for (const commit of commits) await engine.commit(commit);
  const history = new StoredHistory();
  history.add({
    told: [...told],
    moved: [{ partition: 0, to: moved }],
    refused: [],
    toldBeforeFailure: undefined,
    snapshots: 0,
    lines: 0,
  });
  return history.verify(engine).then(
    () => "passes" as const,
    () => "fails" as const,
  );
}

describe("the checker of a killed child's log", () => {
  it("passes a good history, with one commit that was under way", async () => {
    expect(await verdict(good, toldGood)).toBe("passes");
  });

  const bad: [string, readonly Commit[], readonly Told[], number?][] = [
    ["an acknowledged message that is lost", good, [...toldGood, stored(2, "0.0.2")]],
    ["an acknowledged message at another offset", good, [...toldGood, stored(0, "0.0.1")]],
    ["more than was under way", [raw("0.0.0", "0.0.1", "0.0.2"), put("writers", "0.0", "2")], [stored(0, "0.0.0")], 0],
    ["a gap", [raw("0.0.0", "0.0.2"), put("writers", "0.0", "2")], [stored(0, "0.0.0")], 0],
    ["another order", [raw("0.0.1", "0.0.0"), put("writers", "0.0", "0")], [stored(1, "0.0.0")], 0],
    ["a message twice", [raw("0.0.0", "0.0.0"), put("writers", "0.0", "0")], [stored(0, "0.0.0")], 0],
    ["a writer's entry of an older commit", [...good, put("writers", "0.0", "0")], toldGood],
    ["an acknowledged offset that went back", good, toldGood, 2],
    ["a digest that is not that of the messages", [...good, put("readers", "0", "1")], toldGood],
    ["a lost order", good, [...toldGood, { ...stored(1, "0.0.1"), kind: "sent" }]],
    ["an order counted twice", [...good, json("counts", { key: "k", text: "0.0.0", count: 2 })], toldGood],
    [
      "an order that is passed by",
      [...good, json("orders", { key: "k", text: "0.0.1" }), advance("counters", "orders", 2)],
      toldGood,
    ],
    ["an order counted before its turn", good.filter((commit) => commit.advance?.group !== "counters"), toldGood],
    ["a count that the entry does not have", [...good, put("counters/orders/0", "k", "2")], toldGood],
  ];
  it.each(bad)("finds %s", async (_what, commits, told, moved) => {
    expect(await verdict(commits, told, moved)).toBe("fails");
  });
});

import { expect, it } from "vitest";
import type { Commit, Engine } from "../src/engine.ts";
import { createMemoryEngine } from "../src/engines/memory.ts";
import { EngineContent } from "./engine-content.ts";
import { passedOn } from "./passed-on.ts";

const ref = { group: "g", topic: "t", partition: 0 };
const message = { append: [{ topic: "t", partition: 0, key: "k", value: Buffer.from("m") }] };
const advance = (to: number): Commit => ({ advance: { ...ref, to } });

/** An engine, and what it must hold: three messages, and what else was committed. */
async function bed(...more: readonly Commit[]) {
  const engine = createMemoryEngine();
  await engine.declareTopics([{ name: "t", partitions: 1 }]);
  const expected = new EngineContent();
  for (const commit of [message, message, message, ...more]) {
    expect(expected.apply(commit, await engine.commit(commit))).toBeUndefined();
  }
  return { engine, expected };
}

/** The same engine when retention lets two messages go as soon as the first committed offset is asked for. */
function losing(engine: Engine): Engine {
  let start = 0;
  return passedOn(engine, {
    range: async (...place) => ({ ...(await engine.range(...place)), start }),
    async committedOffset(asked) {
      start = 2;
      return Math.max(await engine.committedOffset(asked), start);
    },
  });
}

it("a group that never committed moves with the beginning of the log, also while the oracle looks", async () => {
  const { engine, expected } = await bed();
  const found = await EngineContent.of(losing(engine), expected.places([advance(1)]));
  expect(expected.differenceFrom(found, 0)).toBeUndefined();
});

it("a log that began anew behind what a known group has to read is noticed", async () => {
  const { engine, expected } = await bed(advance(1));
  const first = await EngineContent.of(engine, expected.places([]));
  expect(expected.differenceFrom(first, 0)).toBeUndefined();
  expected.adopt(first);
  const later = await EngineContent.of(losing(engine), expected.places([]));
  expect(expected.differenceFrom(later, 0)).toBe("the log begins at 2, and g t/0 has to read from 1");
  expected.apply(advance(2), await engine.commit(advance(2)));
  const consumed = await EngineContent.of(losing(engine), expected.places([]));
  expect(expected.differenceFrom(consumed, 0)).toBeUndefined();
});

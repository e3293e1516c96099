import { expect, it } from "vitest";
import type { Commit, Engine } from "./engine.ts";
import { createMemoryEngine } from "./engines/memory.ts";
import { groupsOf, registerGroup, retireGroup } from "./group-registry.ts";

const topic = { name: "t", partitions: 3 };
const ref = (partition: number) => ({ group: "g", topic: "t", partition });

async function opened(commits: Commit[]): Promise<Engine> {
  const engine = createMemoryEngine();
  await engine.declareTopics([topic]);
  await engine.commit({ append: [{ topic: "t", partition: 1, key: "", value: Buffer.from("a") }] });
  const commit = engine.commit.bind(engine);
  engine.commit = (made) => {
    commits.push(made);
    return commit(made);
  };
  return engine;
}

it("a group is known to the engine on every partition, where it stands, before it is filed", async () => {
  const commits: Commit[] = [];
  const engine = await opened(commits);
  await engine.commit({ advance: { ...ref(1), to: 1 } });
  await registerGroup(engine, "g", topic);
  const advances = commits.slice(1, -1).map(({ advance }) => advance);
  expect(advances).toEqual([
    { ...ref(0), to: 0 },
    { ...ref(1), to: 1 },
    { ...ref(2), to: 0 },
  ]);
  expect(commits.at(-1)?.put).toHaveLength(1);
  expect(await groupsOf(engine, "t")).toEqual(["g"]);
});

it("a registration that comes late sets no offset back", async () => {
  const commits: Commit[] = [];
  const engine = await opened(commits);
  const committedOffset = engine.committedOffset.bind(engine);
  const released = Promise.withResolvers<void>();
  engine.committedOffset = async (place) => {
    const offset = await committedOffset(place);
    await released.promise;
    return offset;
  };
  const late = registerGroup(engine, "g", topic);
  await Promise.resolve();
  engine.committedOffset = committedOffset;
  // The late one knows where the group stood; the other one files it, and a member consumes.
  await registerGroup(engine, "g", topic);
  await engine.commit({ advance: { ...ref(1), to: 1 } });
  released.resolve();
  await late;
  expect(await engine.committedOffset(ref(1))).toBe(1);
  expect(await groupsOf(engine, "t")).toEqual(["g"]);
});

it("a retired group is not filed any more and has no offsets, and may come again", async () => {
  const engine = await opened([]);
  await registerGroup(engine, "g", topic);
  await engine.commit({ advance: { ...ref(1), to: 1 } });
  await retireGroup(engine, "g", "t");
  expect(await groupsOf(engine, "t")).toEqual([]);
  expect(await engine.committedOffset(ref(1))).toBe(0);
  await registerGroup(engine, "g", topic);
  expect(await groupsOf(engine, "t")).toEqual(["g"]);
});

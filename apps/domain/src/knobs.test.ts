import { createMemoryEngine, openSharedValue } from "queue-core";
import { expect, test } from "vitest";
import { defaultKnobs, openKnobs } from "./knobs.ts";

test("a patch changes what it names and leaves the rest, in every process", async () => {
  const engine = createMemoryEngine();
  const store = await openKnobs({ engine, initial: { velocityPerMinute: 7 } });
  const elsewhere = await openKnobs({ engine });
  const wanted = { ...defaultKnobs, velocityPerMinute: 7, backlogMax: 12 };
  expect(await store.patch({ backlogMax: 12 })).toEqual(wanted);
  expect(store.get()).toEqual(wanted);
  await expect.poll(() => elsewhere.get()).toEqual(wanted);
  expect((await openKnobs({ engine, initial: { backlogMax: 1 } })).get()).toEqual(wanted);
});

test.each([{ backlogMax: "12" }, { backlogMax: 12, decisionCostMs: -1 }, { nobody: 1 }])(
  "a patch that does not fit changes nothing: %j",
  async (part) => {
    const store = await openKnobs({ engine: createMemoryEngine() });
    await expect(store.patch(part)).rejects.toThrow();
    expect(store.get()).toEqual(defaultKnobs);
  },
);

test("settings of a newer or older program: those known and fitting count, the others are as they began", async () => {
  const engine = createMemoryEngine();
  const newer = await openSharedValue<unknown>({ engine, name: "knobs", initial: {}, decode: (stored) => stored });
  await newer.change(() => ({ backlogMax: 12, colour: "red", velocityPerMinute: "many" }));
  const store = await openKnobs({ engine, initial: { velocityPerMinute: 7 } });
  expect(store.get()).toEqual({ ...defaultKnobs, backlogMax: 12, velocityPerMinute: 7 });
});

import { expect, test } from "vitest";
import { createKnobStore, defaultKnobs } from "./knobs.ts";

test("a patch changes what it names and leaves the rest", () => {
  const store = createKnobStore({ velocityPerMinute: 7 });
  expect(store.patch({ backlogMax: 12 })).toEqual({ ...defaultKnobs, velocityPerMinute: 7, backlogMax: 12 });
  expect(store.get().backlogMax).toBe(12);
});

test.each([{ backlogMax: "12" }, { backlogMax: 12, decisionCostMs: -1 }, { nobody: 1 }])(
  "a patch that does not fit changes nothing: %j",
  (part) => {
    const store = createKnobStore();
    expect(() => store.patch(part)).toThrow();
    expect(store.get()).toEqual(defaultKnobs);
  },
);

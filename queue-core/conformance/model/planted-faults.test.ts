/** The model is tested itself: it has to notice each fault that is put between queue and engine. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { matchesModel } from "./matches-model.ts";
import { plantedFaults } from "./planted-faults.ts";

it.each(Object.entries(plantedFaults))("the model notices when %s", async (_, plant) => {
  const property = matchesModel(() => undefined, plant);
  const { failed } = await fc.check(property, { numRuns: 100, endOnFailure: true });
  expect(failed).toBe(true);
});

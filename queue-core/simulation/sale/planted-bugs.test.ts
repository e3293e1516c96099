/** Plants bugs between the queue and the log, one at a time, and shows that the sale's oracles name them. */
import { describe, expect, it } from "vitest";
import { planted, plantedBugs } from "./planted-bugs.ts";
import { simulateSale } from "./simulate-sale.ts";

const mostSeeds = 60;

describe("the oracles of the sale notice that", () => {
  it.each(Object.keys(plantedBugs))("%s", async (bug) => {
    for (let seed = 1; seed <= mostSeeds; seed++) {
      const { violation } = await simulateSale({ seed: `planted ${seed}`, wrapEngine: planted(bug) });
      if (violation === undefined) continue;
      const again = await simulateSale({ seed: `planted ${seed}`, wrapEngine: planted(bug) });
      expect(again.violation).toEqual(violation);
      return;
    }
    expect.unreachable(`${mostSeeds} seeds passed`);
  });
});

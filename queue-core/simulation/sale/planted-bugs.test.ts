/**
 * Plants bugs between the queue and the log, one at a time, and shows that the sale's oracles name them. The library's
 * own gap detector is left out: it often comes first, and would hide an oracle that sees nothing.
 */
import { describe, expect, it } from "vitest";
import { planted, plantedBugs } from "./planted-bugs.ts";
import { type SaleOptions, simulateSale } from "./simulate-sale.ts";

const mostSeeds = 60;
/** A run that merely fell over has named nothing. */
const namesNothing = /^(a run |no event throws|no promise is rejected)/;

/** The first run that notices. */
async function noticed(bug: string, gapDetector: "on" | "left out") {
  for (let seed = 1; seed <= mostSeeds; seed++) {
    const options: SaleOptions = { seed: `planted ${seed}`, wrapEngine: planted(bug), gapDetector };
    const { violation } = await simulateSale(options);
    if (violation !== undefined) return { options, violation };
  }
  throw new Error(`${mostSeeds} seeds passed`);
}

describe("the oracles of the sale notice by themselves that", () => {
  it.each(Object.keys(plantedBugs))("%s", async (bug) => {
    const { options, violation } = await noticed(bug, "left out");
    expect(violation.rule).not.toMatch(namesNothing);
    const again = await simulateSale(options);
    expect(again.violation).toEqual(violation);
  });
});

it.each(["some publishes are stored twice", "what is read is out of order"])(
  "the gap detector sees that %s",
  async (bug) => {
    const { violation } = await noticed(bug, "on");
    expect(violation.rule).toBe("every number comes once and in order");
  },
);

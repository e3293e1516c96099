import { describe, expect, it } from "vitest";
import { withoutSync } from "../removed-guards.ts";
import { simulateSale } from "./simulate-sale.ts";

describe("a run of the simulated sale", () => {
  it.each(["1", "2", "3"])(
    "replays exactly: seed %s gives the same trace twice, whether it is read or not",
    async (seed) => {
      const first = await simulateSale({ seed });
      const second = await simulateSale({ seed, trace: "lines" });
      expect(first.violation).toBeUndefined();
      expect(second.hash).toBe(first.hash);
      expect(second.counts).toEqual(first.counts);
      expect(second.lines.length).toBeGreaterThan(500);
    },
  );

  it("differs from seed to seed", async () => {
    const [one, other] = await Promise.all([simulateSale({ seed: "1" }), simulateSale({ seed: "2" })]);
    expect(one.hash).not.toBe(other.hash);
  });

  it("replays a failing seed exactly, up to the violation", async () => {
    const broken = { wrapDisk: (disk: Parameters<typeof withoutSync>[0]) => withoutSync(disk, "batch") };
    for (let seed = 1; seed < 20; seed++) {
      const first = await simulateSale({ seed: String(seed), ...broken });
      if (first.violation === undefined) continue;
      const second = await simulateSale({ seed: String(seed), ...broken });
      expect(second).toEqual(first);
      return;
    }
    expect.unreachable("nobody missed the sync of a batch");
  });

  it("counts a run in which nothing happened as failed", async () => {
    const nobody = { purchases: 0, notes: 0, keys: 0, activeMs: 1 };
    const { violation } = await simulateSale({ seed: "1", settings: nobody });
    expect(violation?.rule).toBe("a run is not vacuous");
  });
});

/**
 * What can go wrong here: a seed fails once and never again. A run is its seed and nothing else, so `SEED=17` runs
 * that one alone and shows the end of its trace.
 */
import { decideStock, groups, poisonStock, type StockCommand, stockCommands, stockEntriesOf } from "@plateau/domain";
import { describe, expect, it } from "vitest";
import {
  expiredWhileCommitting,
  payAgainstExpire,
  retriedElsewhere,
  type Scenario,
  unknownPublish,
} from "./scenarios.ts";
import { runTruth } from "./truth-run.ts";
import type { PlantedFault } from "./truth-settings.ts";
import type { StageMember } from "./worker-process.ts";

const seeds = 50;
const traceShown = 300;

/** The sums of what the runs met. Throws at the first seed that breaks a rule. */
async function runSeeds(scenario: Scenario, planted: PlantedFault = {}): Promise<Readonly<Record<string, number>>> {
  const only = process.env.SEED;
  const chosen = only === undefined ? Array.from({ length: seeds }, (_, index) => String(index + 1)) : [only];
  const sums: Record<string, number> = {};
  for (const seed of chosen) {
    const { violation, counts, lines } = await runTruth({
      seed,
      scenario,
      planted,
      trace: only === undefined ? "hash" : "lines",
    });
    if (violation !== undefined) {
      const { rule, detail, atMs } = violation;
      const trace = lines.slice(-traceShown).join("\n");
      throw new Error(`SEED=${seed}: ${rule}: ${detail} (at ${atMs.toFixed(3)} ms)\n${trace}`);
    }
    for (const [what, times] of Object.entries(counts)) sums[what] = (sums[what] ?? 0) + times;
  }
  return sums;
}

/** A set of seeds in which the interleaving never came about shows nothing; one seed alone need not have it. */
function expectMet(sums: Readonly<Record<string, number>>, least: Readonly<Record<string, number>>): void {
  if (process.env.SEED !== undefined) return;
  for (const [what, times] of Object.entries({ deaths: 30, "processes killed": 3, ...least }))
    expect(sums[what] ?? 0, what).toBeGreaterThanOrEqual(times);
}

/** The real stage, but for what it finds in the entries. */
const stageThatForgetsResults: StageMember = (queue, member) =>
  queue.process<StockCommand>({
    group: groups.stock,
    topic: stockCommands,
    member,
    keys: stockEntriesOf,
    decide: (message, state, context) => {
      const isRetry = message.value.type === "purchase";
      const forgetful = {
        get: <V>(key: string) => (isRetry && key.startsWith("result:") ? undefined : state.get<V>(key)),
      };
      return decideStock(message, forgetful, context);
    },
    poison: (command, _error, state, context) => poisonStock(command, state, context),
  });

const rule = "what was told is never contradicted";

describe("a publish of unknown outcome, and its resolve", () => {
  it(`end in one result that all tell alike, whether the original is stored or not, in ${seeds} seeds`, async () => {
    expectMet(await runSeeds(unknownPublish), {
      "unknown publishes": 50,
      "expired by resolve": 10,
      "originals behind their resolve": 2,
      "resolves behind their original": 2,
      won: 50,
    });
  });

  it("catch a gateway that tells `expired` without asking", async () => {
    await expect(runSeeds(unknownPublish, { gateway: "tells expired by itself" })).rejects.toThrow(rule);
  });
});

describe("a key that is tried again at another gateway", () => {
  it(`meets one result, whatever crashed, was decided or was answered before, in ${seeds} seeds`, async () => {
    expectMet(await runSeeds(retriedElsewhere), {
      retries: 200,
      "answered again from the result": 20,
      "told by several gateways": 100,
    });
  });

  it("catches a stage that forgets its results", async () => {
    await expect(runSeeds(retriedElsewhere, { stock: stageThatForgetsResults })).rejects.toThrow(/SEED=\d+: /);
  });
});

describe("payments, a cancellation and the expiry of one reservation", () => {
  it(`end it exactly once, and take money exactly for what is sold, in ${seeds} seeds`, async () => {
    expectMet(await runSeeds(payAgainstExpire), {
      sold: 30,
      payment_expired: 30,
      cancelled: 5,
      captured: 30,
      "payments refused": 30,
    });
  });

  it("catch an office that takes the money before `sold` is stored", async () => {
    await expect(runSeeds(payAgainstExpire, { office: "captures at once" })).rejects.toThrow(
      "a payment is settled one way",
    );
  });
});

describe("a purchase decided at its deadline, and not stored in time", () => {
  it(`is expired by whoever meets it late, and nobody was told that it is won, in ${seeds} seeds`, async () => {
    expectMet(await runSeeds(expiredWhileCommitting), {
      "won at the deadline itself": 2,
      "expired by a late worker": 30,
      "won was decided, expired was stored": 5,
    });
  });

  it("catches a worker that tells what it has decided before it is stored", async () => {
    await expect(runSeeds(expiredWhileCommitting, { worker: "tells before it stores" })).rejects.toThrow(rule);
  });
});

describe("a run of the truth rules", () => {
  it.each(Object.entries({ unknownPublish, retriedElsewhere, payAgainstExpire, expiredWhileCommitting }))(
    "replays exactly from its seed: %s",
    async (_name, scenario) => {
      const first = await runTruth({ seed: "1", scenario });
      const second = await runTruth({ seed: "1", scenario, trace: "lines" });
      expect(second.hash).toBe(first.hash);
      expect(second.counts).toEqual(first.counts);
    },
  );
});

/** The checkers are checked: each planted bad result is found, and what was not looked at is no pass. */
import { readFileSync } from "node:fs";
import { type FourWaysSecond, type FourWaysSummary, type Way, ways } from "@plateau/domain";
import { describe, expect, it } from "vitest";
import { compare, verdictOf } from "./comparisons.ts";
import { planOf, spikeOf } from "./plan.ts";
import { sparkline } from "./print.ts";
import { type Evidence, examine } from "./truth.ts";

const good: Evidence = {
  stock: 3,
  unitsLeft: 1,
  orders: [
    { purchaseId: "p1", userId: "ann" },
    { purchaseId: "p2", userId: "bob" },
  ],
  messages: ["p1", "p2"],
  counted: 2,
  following: 0,
  told: new Map([
    ["ann", "accepted"],
    ["bob", "accepted"],
    ["cem", "declined"],
    ["dan", "refused"],
    ["eve", "failed"],
  ]),
};
const order = (purchaseId: string, userId: string) => ({ purchaseId, userId });
const failing = (evidence: Evidence): string[] =>
  examine(evidence).flatMap(({ id, verdict }) => (verdict === "fail" ? [id] : []));

describe("the truth of a way", () => {
  it("passes where told and stored agree, also where somebody who heard nothing has an order", () => {
    expect(verdictOf(examine(good))).toBe("pass");
    const unheard = { ...good, unitsLeft: 0, orders: [...good.orders, order("p3", "eve")] };
    expect(failing({ ...unheard, messages: ["p1", "p2", "p3"], counted: 3 })).toEqual([]);
  });

  it.each<[string, Partial<Evidence>, string]>([
    ["more orders than units", { stock: 1, unitsLeft: -1 }, "no-oversell"],
    ["a unit that nobody has", { unitsLeft: 0 }, "conservation"],
    ["a winner without an order", { told: new Map([...good.told, ["fay", "accepted"]]) }, "one-order-per-accepted"],
    [
      "an order of somebody who was refused",
      { told: new Map([...good.told, ["bob", "refused"]]) },
      "no-order-contradicted",
    ],
    [
      "an order of somebody who was told “sold out”",
      { told: new Map([...good.told, ["bob", "declined"]]) },
      "no-order-contradicted",
    ],
    ["a winner with two orders", { orders: [...good.orders, order("p3", "ann")] }, "one-order-per-accepted"],
    ["an order without a message", { messages: ["p1"] }, "one-message-per-order"],
    ["a message sent twice", { messages: ["p1", "p2", "p2"] }, "one-message-per-order"],
    ["an order counted twice", { counted: 3 }, "counted-once"],
  ])("finds %s", (_, part, id) => {
    expect(failing({ ...good, ...part })).toContain(id);
  });

  it("is unknown while steps are still to be done, and where nothing was sold", () => {
    expect(verdictOf(examine({ ...good, following: 1 }))).toBe("unknown");
    expect(verdictOf(examine({ ...good, told: new Map([["cem", "declined"]]) }))).toBe("unknown");
  });
});

const plan = planOf(1, "usual");
const summary: FourWaysSummary = {
  accepted: 300,
  declined: 0,
  refused: 0,
  failed: 500,
  acceptedPerSecond: 30,
  p50Ms: 4_000,
  p99Ms: 6_000,
  peakDatabaseStatements: 120,
  peakDatabaseBusy: 8,
  databaseStatementsPerAccepted: 3,
  peakBacklog: 700,
};
const summaries: Readonly<Record<Way, FourWaysSummary>> = {
  "all-synchronous": summary,
  "two-synchronous": { ...summary, acceptedPerSecond: 50 },
  "request-queue": {
    ...summary,
    accepted: 400,
    failed: 0,
    refused: 100,
    peakDatabaseStatements: 20,
    peakDatabaseBusy: 1,
  },
  "token-bucket": { ...summary, failed: 0, refused: 500, p99Ms: 500 },
};
const spike = spikeOf(plan);
const seconds = (share: number): FourWaysSecond[] =>
  Array.from({ length: spike.to }, (_, second) => ({
    second,
    arrivals: second >= spike.from ? plan.capacityPerSecond * 10 * share : 10,
    accepted: 0,
    declined: 0,
    refused: 0,
    failed: 0,
    p50Ms: null,
    p99Ms: null,
    databaseStatements: 0,
    databaseBusy: 0,
    backlog: 0,
    following: 0,
  }));
const compared = (change: Partial<Record<Way, Partial<FourWaysSummary>>> = {}, share = 1, heldUpMs = 20) =>
  compare(
    ways.map((way) => ({ way, seconds: seconds(share), summary: { ...summaries[way], ...change[way] } })),
    plan,
    heldUpMs,
  );

describe("the comparison of the ways", () => {
  it("passes where each shows what it is there to show", () => {
    expect(verdictOf(compared())).toBe("pass");
  });

  it.each<[string, Way, Partial<FourWaysSummary>, string]>([
    ["as many busy connections behind the request queue", "request-queue", { peakDatabaseBusy: 7 }, "database-flatter"],
    [
      "as many statements behind the request queue",
      "request-queue",
      { peakDatabaseStatements: 110 },
      "database-flatter",
    ],
    ["two steps that sell no more than five", "two-synchronous", { acceptedPerSecond: 30 }, "two-steps-sell-more"],
    ["a request queue that leaves as many without a decision", "request-queue", { failed: 400 }, "queue-fails-fewer"],
    ["a request queue that turns as many away", "request-queue", { refused: 500 }, "queue-takes-more"],
    ["a request queue that sells less", "request-queue", { accepted: 200 }, "queue-takes-more"],
    ["a token bucket that lets people wait", "token-bucket", { p99Ms: 5_000 }, "bucket-answers-sooner"],
    ["a token bucket that answers nobody", "token-bucket", { p99Ms: null }, "bucket-answers-sooner"],
  ])("fails for %s", (_, way, part, id) => {
    const found = compared({ [way]: part }).find((check) => check.id === id);
    expect(found?.verdict).toBe("fail");
  });

  it("says nothing where less than the spike was offered, the machine was busy, or a way did not run", () => {
    for (const unfair of [compared({}, 0.5), compared({}, 1, 400)]) {
      expect(new Set(unfair.map(({ verdict }) => verdict))).toEqual(new Set(["unknown"]));
    }
    const three = ways.map((way, index) => ({
      way,
      seconds: seconds(1),
      summary: index === 0 ? null : summaries[way],
    }));
    expect(verdictOf(compare(three, plan, 20))).toBe("unknown");
  });
});

it("a sparkline has a full bar for the most, the lowest for a little, and nothing for nothing", () => {
  expect(sparkline([0, 1, 50, 100], 100)).toBe(" ▁▄█");
});

it.each(ways)("%s is one file of less than 150 lines", (way) => {
  const source = readFileSync(new URL(`./${way}.ts`, import.meta.url), "utf8");
  expect(source.split("\n").length).toBeLessThan(150);
});

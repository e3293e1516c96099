import { describe, expect, it } from "vitest";
import { spike } from "./k6/plan.ts";
import { judgeSpike, type SpikeSummary } from "./spike-verdict.ts";

const planned = spike.arrivalsPerSecond * spike.durationS;
const good: SpikeSummary["metrics"] = {
  iterations: { count: planned },
  bad_answers: undefined,
  purchases_shed: { count: planned - 1_500 },
  purchases_admitted: { count: 1_500 },
  shed_duration: { "p(99)": 12 },
  admitted_duration: { "p(99)": 600 },
};
const verdictOf = (metrics: SpikeSummary["metrics"]) => judgeSpike({ metrics }, spike).verdict;

describe("a spike", () => {
  it("meets its bars", () => {
    expect(judgeSpike({ metrics: good }, spike)).toMatchObject({ verdict: "met", lines: { length: 4 } });
  });

  it.each([
    ["a bad answer", { bad_answers: { count: 1 } }],
    ["slow refusals", { shed_duration: { "p(99)": 50 } }],
    ["slow admissions", { admitted_duration: { "p(99)": 1_000 } }],
    ["nothing shed", { purchases_shed: undefined, shed_duration: undefined }],
    ["nothing admitted", { purchases_admitted: undefined, admitted_duration: undefined }],
  ])("misses them with %s", (_fault, metrics) => {
    expect(verdictOf({ ...good, ...metrics })).toBe("missed");
  });

  it("is invalid, not passed, when less than 95 % was offered", () => {
    expect(verdictOf({ ...good, iterations: { count: planned * 0.94 } })).toBe("invalid");
    expect(verdictOf({ ...good, iterations: undefined })).toBe("invalid");
  });
});

import { describe, expect, it } from "vitest";
import { seededRandom } from "../driver/seeded-random.ts";
import type { Fault } from "./faults/fault.ts";
import { moments, roundsOf } from "./schedule.ts";
import { type RoundReport, verdictOfRound, verdictOfRun } from "./verdict.ts";

const good: RoundReport = {
  fault: "kill backend",
  moment: "peak",
  evidence: "killed once",
  callsHit: 3,
  gotOn: 10,
  audit: "pass",
  complaints: [],
  doubts: [],
};

describe("the verdict of a round", () => {
  it("passes when the audit does, the fault took place and hit something, and the sale got on", () => {
    expect(verdictOfRound(good).verdict).toBe("pass");
  });

  it.each([
    ["the audit could not look", { audit: "unknown" as const }],
    ["nothing shows that the fault took place", { evidence: undefined }],
    ["no call was under way", { callsHit: 0 }],
    ["nothing was won or ended after it struck", { gotOn: 0 }],
  ])("is unknown, and no pass, where %s", (_, change) => {
    expect(verdictOfRound({ ...good, ...change }).verdict).toBe("unknown");
  });

  it("asks for no call under way at idle", () => {
    expect(verdictOfRound({ ...good, moment: "idle", callsHit: 0 }).verdict).toBe("pass");
  });

  it("fails by the audit, or by a complaint, whatever else is unknown", () => {
    expect(verdictOfRound({ ...good, audit: "fail", gotOn: 0 }).verdict).toBe("fail");
    const { verdict, reasons } = verdictOfRound({ ...good, evidence: undefined, complaints: ["an answer of 500"] });
    expect([verdict, reasons]).toEqual(["fail", ["an answer of 500"]]);
  });
});

describe("the verdict of a run", () => {
  it("is the worst of its rounds', and unknown without any", () => {
    expect(verdictOfRun([])).toBe("unknown");
    expect(verdictOfRun(["pass", "pass"])).toBe("pass");
    expect(verdictOfRun(["pass", "unknown"])).toBe("unknown");
    expect(verdictOfRun(["unknown", "fail", "pass"])).toBe("fail");
  });
});

describe("the schedule", () => {
  const faults = ["a", "b", "c", "d", "e"].map((name) => ({ name }) as Fault);
  const drawn = (seed: number, count: number): { name: string; moment: string }[] => {
    const rounds = roundsOf(faults, seededRandom(seed));
    return Array.from({ length: count }, () => rounds.next().value).map(({ fault, moment }) => ({
      name: fault.name,
      moment,
    }));
  };

  it("is repeated by its seed, and differs by another", () => {
    expect(drawn(7, 20)).toEqual(drawn(7, 20));
    expect(drawn(7, 20)).not.toEqual(drawn(8, 20));
  });

  it("tries every fault before one comes again, and reaches every moment", () => {
    const rounds = drawn(1, 200);
    for (let first = 0; first < rounds.length; first += faults.length) {
      expect(new Set(rounds.slice(first, first + faults.length).map(({ name }) => name)).size).toBe(faults.length);
    }
    expect(new Set(rounds.map(({ moment }) => moment))).toEqual(new Set(moments));
  });
});

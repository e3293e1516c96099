/**
 * Pass, fail or unknown. `unknown` is no pass: a run that could not look, or whose faults hit nothing, has proved
 * nothing.
 */
import type { Verdict } from "@plateau/domain";
import type { Moment } from "./schedule.ts";

/** What a round saw. */
export interface RoundReport {
  readonly fault: string;
  readonly moment: Moment;
  /** What shows that the fault took place; undefined where nothing does. */
  readonly evidence: string | undefined;
  /** Calls that were under way at some time of the fault. */
  readonly callsHit: number;
  /** Purchases that were won, and orders that ended, after the fault struck. */
  readonly gotOn: number;
  readonly audit: Verdict;
  /** Sentences about what ought not to be. */
  readonly complaints: readonly string[];
  /** Where the audit could not look. */
  readonly doubts: readonly string[];
}

export interface RoundVerdict {
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
}

export function verdictOfRound(round: RoundReport): RoundVerdict {
  const wrong = [...round.complaints, ...(round.audit === "fail" ? ["the audit fails"] : [])];
  if (wrong.length > 0) return { verdict: "fail", reasons: wrong };
  const vacuous = [
    ...(round.audit === "unknown" ? ["the audit could not look everywhere", ...round.doubts] : []),
    ...(round.evidence === undefined ? ["nothing shows that the fault took place"] : []),
    // At idle nothing is under way; what was bought afterwards is the proof.
    ...(round.callsHit === 0 && round.moment !== "idle" ? ["no call was under way"] : []),
    ...(round.gotOn === 0 ? ["nothing was won or ended after it struck"] : []),
  ];
  return vacuous.length > 0 ? { verdict: "unknown", reasons: vacuous } : { verdict: "pass", reasons: [] };
}

/** Of a whole run, from its rounds' and the last audit of everything. */
export function verdictOfRun(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes("fail")) return "fail";
  return verdicts.length === 0 || verdicts.includes("unknown") ? "unknown" : "pass";
}

/**
 * The four ways one after another on the same load, and what came out.
 *
 *   starting ──► running ──► done
 *       └───────────┴──► stopped (asked to) or failed (it could not go on)
 *
 * Promises: it ends by itself, whatever happens, at the latest when the time of its plan and of the checks is over; at
 * its end, by whatever way, its tables, logs and connections are gone; the report is whole at every moment. What an
 * experiment that was killed left behind is removed by the next one.
 */
import { mkdir, rm } from "node:fs/promises";
import { type FourWaysCurve, type FourWaysPlan, type FourWaysReport, noFourWaysYet, ways } from "@plateau/domain";
import { compare, verdictOf } from "./comparisons.ts";
import { type ClaimedSchema, claim } from "./lab-database.ts";
import { planOf, type Size, secondsOf, settings } from "./plan.ts";
import { type Place, runWay } from "./run-way.ts";

export interface ExperimentOptions {
  readonly databaseUrl: string;
  /** Of this experiment alone: it orders the providers' times there. */
  readonly sandboxUrl: string;
  /** Of this experiment alone; removed in the end. */
  readonly folder: string;
  readonly seed: number;
  /** `small` is for tests: it shows that everything works, and compares nothing worth telling. */
  readonly size: Size;
  readonly onReport: (report: FourWaysReport) => void;
}

export interface Experiment {
  /** Resolves with the last report. */
  readonly ended: Promise<FourWaysReport>;
  /** Resolves when nothing of it is left. */
  stop(): Promise<void>;
}

/** Around each way: threads and logs are opened, what follows is finished, tables are examined. */
const aroundEachMs = 2_000;

export function startExperiment(options: ExperimentOptions): Experiment {
  const stopping = new AbortController();
  const plan = planOf(options.seed, options.size);
  const kept: { report: FourWaysReport } = {
    report: { ...noFourWaysYet, state: "starting", startedAt: new Date().toISOString(), plan },
  };
  const change = (part: Partial<FourWaysReport>): void => {
    const next = { ...kept.report, ...part };
    const isOver = next.state !== "starting" && next.state !== "running";
    kept.report = { ...next, remainingMs: isOver ? null : remainingMs(next.curves, plan) };
    options.onReport(kept.report);
  };
  const ended = run(options, plan, { change, report: () => kept.report, signal: stopping.signal })
    .catch((error: unknown) => {
      if (stopping.signal.aborted) change({ state: "stopped" });
      else change({ state: "failed", problem: error instanceof Error ? error.message : String(error) });
    })
    .then(() => kept.report);
  return {
    ended,
    async stop() {
      stopping.abort(new Error("stopped"));
      await ended;
    },
  };
}

interface Course {
  readonly change: (part: Partial<FourWaysReport>) => void;
  readonly report: () => FourWaysReport;
  readonly signal: AbortSignal;
}

async function run(options: ExperimentOptions, plan: FourWaysPlan, course: Course): Promise<void> {
  const { databaseUrl, sandboxUrl, folder } = options;
  course.change({});
  let schema: ClaimedSchema | undefined;
  let heldUpMs = 0;
  try {
    schema = await claim(databaseUrl, settings);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await orderProviderTimes(sandboxUrl);
    course.change({ state: "running" });
    heldUpMs = await runAll(plan, { databaseUrl, sandboxUrl, folder, settings }, course);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await schema?.drop();
  }
  const { curves } = course.report();
  const comparisons = options.size === "usual" ? compare(curves, plan, heldUpMs) : [];
  const verdict = verdictOf([...comparisons, ...curves.flatMap(({ truth }) => truth)]);
  course.change({ state: "done", comparisons: [...comparisons], verdict });
}

/** Resolves with how long the way that was held up most was held up. */
async function runAll(plan: FourWaysPlan, place: Place, course: Course): Promise<number> {
  let mostMs = 0;
  for (const way of ways) {
    const changeCurve = (part: (before: FourWaysCurve) => Partial<FourWaysCurve>): void =>
      course.change({
        curves: course.report().curves.map((curve) => (curve.way === way ? { ...curve, ...part(curve) } : curve)),
      });
    changeCurve(() => ({ state: "running" }));
    const { summary, truth, heldUpMs } = await runWay({
      way,
      plan,
      place,
      signal: course.signal,
      onSecond: (second) => changeCurve(({ seconds }) => ({ seconds: [...seconds, second] })),
      onChecking: () => changeCurve(() => ({ state: "checking" })),
    });
    changeCurve(() => ({ state: "done", summary, truth: [...truth] }));
    mostMs = Math.max(mostMs, heldUpMs);
  }
  return mostMs;
}

export async function orderProviderTimes(sandboxUrl: string): Promise<void> {
  const orders = { risk: settings.riskLatencyMs, sms: settings.smsLatencyMs };
  for (const [service, latencyMs] of Object.entries(orders)) {
    const answer = await fetch(`${sandboxUrl}/faults/${service}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ latencyMs, ratePerSecond: 0 }),
    });
    if (!answer.ok) throw new Error(`the sandbox took no order for ${service}: ${answer.status}`);
  }
}

/** At most; a way ends sooner once everybody knows. */
function remainingMs(curves: readonly FourWaysCurve[], plan: FourWaysPlan): number {
  const wholeMs = secondsOf(plan) * 1_000 + aroundEachMs;
  return curves.reduce((sum, { state, seconds }) => {
    if (state === "done") return sum;
    return sum + (state === "checking" ? aroundEachMs : Math.max(0, wholeMs - seconds.length * 1_000));
  }, 0);
}

/**
 * Stage 1: risk control (风控). Reads `purchase-requests`, hands every message on to `stock-commands`.
 *
 * One commit per batch moves the offset, writes the users' entries and appends what is handed on, so each request
 * reaches stock exactly once, whatever crashes in between. All of one user's requests lie in one partition and are
 * judged in order; users spread over 8 partitions, and so over up to 8 workers.
 *
 *   batch ──► pace (what a decision costs) ──► gather (outside scores, 150 ms for the whole batch) ──► decideRisk
 *
 * The rules are `decideRisk` in the domain. What can go wrong out here: the scorer is late or fails. Then the batch
 * is decided without its scores, each request says so, and the log tells at most every 10 s.
 */
import {
  decideRisk,
  groups,
  isPastDeadline,
  type Knobs,
  poisonRisk,
  purchaseRequests,
  type RequestMessage,
  type RiskScores,
  riskEntriesOf,
} from "@plateau/domain";
import type { Logger } from "pino";
import type { GroupMember, Message, Queue } from "queue-core";
import { DecisionPace, type PaceClock } from "./decision-pace.ts";
import type { RiskScorer, RiskSubject } from "./risk-scorer.ts";

export interface RiskStageOptions {
  readonly queue: Queue;
  readonly scorer: RiskScorer;
  readonly knobs: () => Knobs;
  readonly log: Pick<Logger, "warn">;
  /** Names this member in the group; default: a random id. */
  readonly member?: string;
  readonly paceClock?: PaceClock;
}

const scorerBudgetMs = 150;
const tellEveryMs = 10_000;

export function startRiskStage(options: RiskStageOptions): Promise<GroupMember> {
  const { queue, scorer, knobs, log, member, paceClock } = options;
  const pace = new DecisionPace(paceClock);
  const tellFailure = failureTeller(log, () => queue.now());
  return queue.process<RequestMessage, RiskScores>({
    group: groups.risk,
    topic: purchaseRequests,
    ...(member === undefined ? {} : { member }),
    keys: riskEntriesOf,
    pace: async (batch, signal) => {
      const { decisionCostMs, batchMax } = knobs();
      const taken = batch.slice(0, batchMax);
      const costs = costsOf(taken, decisionCostMs, queue.now());
      return costs === undefined ? taken.length : pace.take(costs, signal);
    },
    prepare: {
      budgetMs: scorerBudgetMs,
      gather: async (batch, signal) => {
        try {
          const subjects = subjectsOf(batch, queue.now());
          return subjects.length === 0 ? new Map() : await scorer.score(subjects, signal);
        } catch (error) {
          tellFailure(error);
          throw error;
        }
      },
    },
    decide: (message, state, context) => decideRisk(message, state, context, knobs()),
    poison: (message) => poisonRisk(message),
  });
}

/** What each message costs, ms; look-ups and abandoned requests are no work. Undefined: nothing costs anything. */
function costsOf(
  batch: readonly Message<RequestMessage>[],
  eachMs: number,
  nowMs: number,
): readonly number[] | undefined {
  if (eachMs === 0 && batch.every(({ value }) => value.type === "resolve" || !value.decisionCostMs)) return undefined;
  return batch.map(({ value }) =>
    value.type === "resolve" || isPastDeadline(value, nowMs) ? 0 : eachMs + (value.decisionCostMs ?? 0),
  );
}

function subjectsOf(batch: readonly Message<RequestMessage>[], nowMs: number): readonly RiskSubject[] {
  const subjects: RiskSubject[] = [];
  for (const { value } of batch) {
    if (value.type === "resolve" || isPastDeadline(value, nowMs)) continue;
    const { purchaseId: id, userId, address, deviceId } = value;
    subjects.push(deviceId === undefined ? { id, userId, address } : { id, userId, address, deviceId });
  }
  return subjects;
}

function failureTeller(log: Pick<Logger, "warn">, now: () => number): (error: unknown) => void {
  let batches = 0;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    batches++;
    if (now() - toldAtMs < tellEveryMs) return;
    log.warn({ reason: String(error), batches }, "no risk scores: decided without them");
    toldAtMs = now();
    batches = 0;
  };
}

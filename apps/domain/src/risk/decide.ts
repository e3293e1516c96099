/**
 * The risk stage's decision (风控): a verdict on each purchase request, handed on to the stock stage, which alone
 * ends purchases.
 *
 * Pure: state by user, the outside scores that `prepare` gathered, the settings and the time go in.
 *
 * What can go wrong:
 * - The same request comes again (a retry while it is undecided, a redelivery): it is no new try. It gets the
 *   verdict that it got first, and goes on, so that stock answers whoever asks now.
 * - The outside scorer is late, down, or knows nothing of a request: the verdict is given without its score, and
 *   says so (`scored: false`).
 * - The request is past its deadline: it goes on unjudged and uncounted, and stock records `expired`.
 * Promise: every message is handed on exactly once, with the reply address of whoever asked; nothing ends here.
 */
import { type DecideContext, type Decision, type EntryWrite, emit, type Message, type StateReader } from "queue-core";
import type { PurchaseId } from "../ids.ts";
import type {
  JudgedPurchase,
  PurchaseRequest,
  RejectionReason,
  RequestMessage,
  RiskVerdict,
  StockCommand,
} from "../messages.ts";
import { stockCommands } from "../topics.ts";
import { countTry, isBlocked, type RiskUser, riskUserExpiresAfterMs } from "./velocity.ts";

/** A score from here on is refused; scores are between 0 and 1. */
export const refusedScore = 0.9;

/**
 * How long a request id counts as seen: longer than it can be undecided. A repeat after that is judged anew, which
 * changes no answer, for stock answers from the first result whatever the verdict.
 */
export const seenExpiresAfterMs = 10 * 60 * 1000;

/** Scores by purchase id; a request that the scorer did not answer for is absent. */
export type RiskScores = ReadonlyMap<PurchaseId, number>;

export interface RiskPolicy {
  /** New requests per user and minute. */
  readonly velocityPerMinute: number;
  /** Accounts that may share a device. */
  readonly accountsPerDevice: number;
}

/** Keys of the risk stage's entries; its group is `risk`, its topic `purchase-requests`, filed under the user id. */
export const riskKeys = {
  user: (userId: string): string => `user:${userId}`,
  /** Holds the verdict first given. */
  seen: (purchaseId: string): string => `seen:${purchaseId}`,
} as const;

/** Every entry that deciding this message may read. */
export function riskEntriesOf(message: RequestMessage): readonly string[] {
  if (message.type === "resolve") return [];
  return [riskKeys.user(message.userId), riskKeys.seen(message.purchaseId)];
}

/** Abandoned work: it goes on unjudged, and stock records `expired`. */
export const isPastDeadline = (request: PurchaseRequest, nowMs: number): boolean => nowMs > request.decideByMs;

export function decideRisk(
  message: Message<RequestMessage>,
  state: StateReader,
  { facts: scores, nowMs }: DecideContext<RiskScores>,
  policy: RiskPolicy,
): Decision {
  const request = message.value;
  if (request.type === "resolve") return handOn(message, request);
  if (isPastDeadline(request, nowMs)) return handOn(message, judged(request, { verdict: "pass", scored: false }));

  const seenKey = riskKeys.seen(request.purchaseId);
  const first = state.get<RiskVerdict>(seenKey);
  if (first !== undefined) return handOn(message, judged(request, first));

  const userKey = riskKeys.user(request.userId);
  const { verdict, user } = judge(request, state.get<RiskUser>(userKey), scores, nowMs, policy);
  const seen: EntryWrite = { key: seenKey, value: verdict, expiresAfterMs: seenExpiresAfterMs };
  const writes =
    user === undefined ? [seen] : [seen, { key: userKey, value: user, expiresAfterMs: riskUserExpiresAfterMs }];
  return { ...handOn(message, judged(request, verdict)), writes };
}

/** A request whose judging threw still reaches stock, which ends it as rejected for `poison`. */
export function poisonRisk(message: Message<RequestMessage>): Decision {
  const request = message.value;
  if (request.type === "resolve") return handOn(message, request);
  return handOn(message, judged(request, { verdict: "refuse", reason: "poison", scored: false }));
}

interface Judgement {
  readonly verdict: RiskVerdict;
  /** The user's entry where it changes. */
  readonly user?: RiskUser;
}

/** The rules in their order: the block list, velocity, accounts on the device, the outside score. */
function judge(
  request: PurchaseRequest,
  before: RiskUser | undefined,
  scores: RiskScores | undefined,
  nowMs: number,
  policy: RiskPolicy,
): Judgement {
  const score = scores?.get(request.purchaseId);
  const scored = score !== undefined;
  const refuse = (reason: RejectionReason): RiskVerdict => ({ verdict: "refuse", reason, scored, judgedAtMs: nowMs });
  if (isBlocked(before, nowMs)) return { verdict: refuse("blocked") };

  const { user, tooOften } = countTry(before, nowMs, policy.velocityPerMinute);
  if (tooOften) return { verdict: refuse("velocity"), user };
  if ((request.accountsOnDevice ?? 0) > policy.accountsPerDevice) return { verdict: refuse("shared-device"), user };
  if (scored && score >= refusedScore) return { verdict: refuse("risk-score"), user };
  return { verdict: { verdict: "pass", scored, judgedAtMs: nowMs }, user };
}

/** What stock needs of the request, and no more: it is stored once again, and read by more people. */
function judged(request: PurchaseRequest, risk: RiskVerdict): JudgedPurchase {
  const { type, purchaseId, saleId, userId, quantity, fingerprint, requestedAtMs, decideByMs } = request;
  return { type, purchaseId, saleId, userId, quantity, fingerprint, requestedAtMs, decideByMs, risk };
}

function handOn(message: Message<RequestMessage>, command: StockCommand): Decision {
  const { replyTo } = message.headers;
  return { emit: [emit(stockCommands, command, replyTo === undefined ? {} : { replyTo })] };
}

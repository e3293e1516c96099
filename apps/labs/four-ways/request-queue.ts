/**
 * Way 3: the request itself goes through a queue, and the answer comes back as a reply (流量控制).
 *
 *   shopper ──► gateway ──► requests ──► worker: risk, stock ──► reply ──► gateway ──► shopper
 *                                              └──► accepted ──► order, SMS, statistics
 *
 * The gateway does nothing but publish and wait. A worker takes requests at its own pace and decides them one after
 * another over keyed state: what is left, and how each purchase ended. Offset, state, reply and the message about the
 * accepted purchase are one commit, so there is no gap between stock and message, and the database has no part in the
 * decision.
 *
 * What can go wrong:
 * - Everybody waits longer, for the way is longer and nobody overtakes. Who waits longer than a call is held gets 202
 *   and asks again; the notes let the app take that for a loss, we do not (docs/adr/0001).
 * - The queue grows without end: its room is what can be decided before the deadline, and beyond it 503 is the answer.
 * - A request was published, and nobody knows: the same id is answered from its result, however often it comes.
 * - The scorer gives no score in time: the purchase is decided without.
 * - One sale is one key, so one worker decides it. More workers help more sales, not this one.
 *
 * Promise: what was published is decided once, in the order of its coming, also when worker or gateway die in between.
 */
import {
  type DecideContext,
  type Decision as Decided,
  defineTopic,
  emit,
  type Message,
  QueueError,
  type StateReader,
  type Topic,
} from "queue-core";
import { accepted, followUp } from "./follow-up.ts";
import { servePurchases } from "./purchase-server.ts";
import { type Decision, expired, type Ground, type Purchase, type RunningWay, rejected, soldOut, won } from "./way.ts";

type Command =
  | { readonly kind: "open"; readonly units: number }
  | { readonly kind: "buy"; readonly purchase: Purchase };
type Verdicts = ReadonlyMap<string, boolean>;

/** Some 150 ms of scoring: commits are few, and nobody waits long for a batch to fill. */
const decidedAtOnce = 32;
const scoreWithinMs = 2_000;
/** The reply to a purchase that is decided at the last moment is still on its way. */
const replyGraceMs = 5_000;

const resultOf = (id: string): string => `result:${id}`;

export async function startRequestQueue(ground: Ground): Promise<RunningWay> {
  const { steps, settings, saleId } = ground;
  const requests = defineTopic<Command>({
    name: "requests",
    partitions: 1,
    keyOf: () => saleId,
    backlog: { maxMessages: settings.queueRoom, lowMark: 0.95 },
  });
  const queue = await ground.openQueue([requests as Topic<never>, accepted as Topic<never>]);
  const follow = await followUp(queue, steps);

  const gather = async (batch: readonly Message<Command>[]): Promise<Verdicts> => {
    const untilMs = performance.now() + scoreWithinMs;
    const purchases = batch
      .filter(({ headers }) => (headers.deadlineMs ?? Number.POSITIVE_INFINITY) > queue.now())
      .flatMap(({ value }) => (value.kind === "buy" ? [value.purchase] : []));
    const verdictOf = async (purchase: Purchase) => [purchase.id, await steps.passesRisk(purchase, untilMs)] as const;
    return new Map(await Promise.all(purchases.map(verdictOf)));
  };
  await queue.process<Command, Verdicts>({
    group: "decide",
    topic: requests,
    maxBatch: decidedAtOnce,
    keys: (command) => (command.kind === "open" ? ["left"] : ["left", resultOf(command.purchase.id)]),
    prepare: { budgetMs: scoreWithinMs, gather },
    decide,
  });
  await queue.publish(requests, { kind: "open", units: ground.stock });

  const gateway = await queue.requester();
  const state = queue.state("decide", requests as Topic<never>);
  const server = await servePurchases(ground, async (purchase) => {
    const { published, reply } = gateway.send<Command, Decision>(
      requests,
      { kind: "buy", purchase },
      {
        id: purchase.id,
        deadlineMs: queue.now() + settings.decideWithinMs,
        timeoutMs: settings.decideWithinMs + replyGraceMs,
      },
    );
    try {
      await published;
      return await reply;
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      if (error.code === "OVERLOADED") return { state: "refused", problem: "overloaded", retryAfterMs: 1_000 };
      // The reply was lost, and with it nothing: the result was stored in the commit that decided.
      const result = await state.get<Decision>(saleId, resultOf(purchase.id));
      if (result === undefined) throw error;
      return result;
    }
  });

  return {
    ...server,
    following: () => follow.left(),
    unitsLeft: async () => (await state.get<number>(saleId, "left")) ?? ground.stock,
  };
}

/** One writer decides one after another: no lock, and no unit sold twice. */
function decide(
  { value, headers }: Message<Command>,
  state: StateReader,
  { facts, nowMs }: DecideContext<Verdicts>,
): Decided {
  if (value.kind === "open") return { writes: [{ key: "left", value: value.units }] };
  const { purchase } = value;
  const before = state.get<Decision>(resultOf(purchase.id));
  if (before !== undefined) return { reply: before };
  const left = state.get<number>("left") ?? 0;
  const end = (decision: Decision): Decided => ({
    writes: [{ key: resultOf(purchase.id), value: decision }],
    reply: decision,
  });
  if (headers.deadlineMs !== undefined && headers.deadlineMs < nowMs) return end(expired);
  if (facts?.get(purchase.id) === false) return end(rejected);
  if (left === 0) return end(soldOut);
  const bought = end(won);
  return {
    ...bought,
    writes: [{ key: "left", value: left - 1 }, ...(bought.writes ?? [])],
    emit: [emit(accepted, purchase)],
  };
}

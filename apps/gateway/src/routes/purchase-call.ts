/**
 * `POST /api/sales/:saleId/purchases`: through the admission steps, into the queue, and back with the decision, or
 * with 202 and where to look.
 */
import { fingerprintOf, type PurchaseResult } from "@plateau/domain";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Attempt, Step, Verdict } from "../admission/attempt.ts";
import { readPreference } from "../admission/prefer.ts";
import { publishPurchase } from "../admission/publish-purchase.ts";
import { isReused } from "../admission/steps.ts";
import { keyReused, type Refusal, sendProblem } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";
import type { PendingPurchase } from "../purchases/pending-purchases.ts";
import { refusalOfResult } from "../purchases/purchase-answer.ts";
import { purchaseOfResult, queuedPurchase } from "../purchases/purchase-view.ts";

export type PurchaseCall = FastifyRequest<{
  Params: { saleId: string };
  Body: { quantity?: number | undefined } | null | undefined;
}>;

/** A publish that is neither stored nor refused for this long counts as perhaps stored. */
const publishWithinMs = 10_000;

export function purchaseHandler(
  gateway: Gateway,
  steps: readonly Step[],
): (request: PurchaseCall, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const startedAt = performance.now();
    const attempt = attemptOf(gateway, request);
    gateway.meter.arrived();
    try {
      const verdict = await walk(steps, attempt);
      return verdict === undefined
        ? await publishAndAnswer(attempt, reply)
        : await answerVerdict(attempt, verdict, reply);
    } catch (error) {
      // Nothing was published: whoever joined is told so, and the key is free.
      if (attempt.pending !== undefined)
        gateway.pending.refuse(attempt.pending, { code: "unavailable", retryAfterMs: 2_000 });
      throw error;
    } finally {
      gateway.meter.answered(performance.now() - startedAt, gateway.queue.now());
    }
  };
}

function attemptOf(gateway: Gateway, request: PurchaseCall): Attempt {
  const quantity = request.body?.quantity ?? 1;
  return {
    gateway,
    request,
    saleId: request.params.saleId,
    quantity,
    fingerprint: fingerprintOf({ quantity }),
    arrivedAtMs: gateway.queue.now(),
    session: undefined,
    pending: undefined,
    sale: undefined,
  };
}

async function walk(steps: readonly Step[], attempt: Attempt): Promise<Verdict | undefined> {
  for (const step of steps) {
    const outcome = step(attempt);
    const verdict = outcome instanceof Promise ? await outcome : outcome;
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

async function answerVerdict(attempt: Attempt, verdict: Verdict, reply: FastifyReply): Promise<FastifyReply> {
  switch (verdict.kind) {
    case "ended":
      return answerResult(verdict.result, reply);
    case "join":
      return waitAndAnswer(attempt, verdict.pending, reply);
    case "refuse": {
      const { gateway, pending } = attempt;
      const knownSale = attempt.sale === undefined ? undefined : attempt.saleId;
      gateway.meter.refused(verdict.refusal.code, knownSale, gateway.queue.now(), verdict.hintPosition);
      if (pending?.stage === "admitting") gateway.pending.refuse(pending, verdict.refusal);
      return sendProblem(reply, verdict.refusal);
    }
  }
}

async function publishAndAnswer(attempt: Attempt, reply: FastifyReply): Promise<FastifyReply> {
  const { pending } = attempt;
  if (pending === undefined) throw new Error("the steps have not begun a purchase");
  publishPurchase(attempt);
  return waitAndAnswer(attempt, pending, reply);
}

async function waitAndAnswer(attempt: Attempt, pending: PendingPurchase, reply: FastifyReply): Promise<FastifyReply> {
  const { gateway, request } = attempt;
  const preference = readPreference(request.headers.prefer, gateway.timings);
  if (preference.applied !== undefined) reply.header("preference-applied", preference.applied);
  const waitUntil = performance.now() + preference.waitMs;
  await pending.reaches(["published", "refused", "ended"], publishWithinMs);
  await pending.reaches(["refused", "ended"], waitUntil - performance.now());
  if (pending.result !== undefined) {
    return isReused(attempt, pending.result) ? sendProblem(reply, keyReused) : answerResult(pending.result, reply);
  }
  if (pending.refusal !== undefined) return sendProblem(reply, pending.refusal);
  return answerPending(gateway, pending, reply);
}

async function answerPending(gateway: Gateway, pending: PendingPurchase, reply: FastifyReply): Promise<FastifyReply> {
  pending.told = true;
  const standing = await gateway.inFlight.standing(pending);
  return reply
    .code(202)
    .header("location", locationOf(pending.terms.id))
    .header("content-type", "application/json; charset=utf-8")
    .send(JSON.stringify(queuedPurchase(pending, standing)));
}

function answerResult(result: PurchaseResult, reply: FastifyReply): FastifyReply {
  const refusal: Refusal | undefined = refusalOfResult(result);
  if (refusal !== undefined) return sendProblem(reply, refusal);
  return reply
    .code(201)
    .header("location", locationOf(result.purchaseId))
    .header("content-type", "application/json; charset=utf-8")
    .send(JSON.stringify(purchaseOfResult(result)));
}

const locationOf = (purchaseId: string): string => `/api/purchases/${purchaseId}`;

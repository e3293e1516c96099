/**
 * Purchases: the call itself, its look-up, its events, and one's own in a sale.
 *
 * What can go wrong: telling a stranger that an id exists. Another user's purchase is answered exactly as none.
 */
import {
  type BuyerUnits,
  Problem,
  Purchase,
  PurchaseBody,
  type PurchaseId,
  type PurchaseResult,
  Purchases,
  type Purchase as PurchaseView,
  type SaleId,
  saleOfPurchase,
  stockKeys,
  type UserId,
} from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Step } from "../admission/attempt.ts";
import { ProblemError } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";
import { purchaseOfResult, queuedPurchase } from "../purchases/purchase-view.ts";
import { type SessionGuard, sessionOf } from "../session/session-guard.ts";
import type { PurchaseStreams } from "../streams/purchase-streams.ts";
import { purchaseHandler } from "./purchase-call.ts";

const noSuchPurchase = () => new ProblemError("not-found", "No such purchase");

export function purchaseRoutes(
  app: FastifyInstance,
  gateway: Gateway,
  parts: { readonly guard: SessionGuard; readonly steps: readonly Step[]; readonly streams: PurchaseStreams },
): void {
  const tags = ["purchases"];
  app.post(
    "/sales/:saleId/purchases",
    {
      schema: {
        tags,
        summary: "Buy: 201 won, 202 pending with Location, or a problem",
        description:
          "Headers: `Idempotency-Key` (made up when missing), `Prefer: respond-async` or `wait=N`. The same key gets the same purchase.",
        params: z.object({ saleId: z.string() }),
        body: PurchaseBody.nullish(),
        response: { 201: Purchase, 202: Purchase, "4xx": Problem, 503: Problem },
      },
    },
    purchaseHandler(gateway, parts.steps),
  );

  app.get<{ Params: { id: string } }>(
    "/purchases/:id",
    {
      preHandler: parts.guard.require,
      schema: {
        tags,
        summary: "A purchase of one's own",
        params: idParams,
        response: { 200: Purchase, "4xx": Problem },
      },
    },
    async (request) => findPurchase(gateway, request.params.id, sessionOf(request).userId),
  );

  app.get<{ Params: { id: string } }>(
    "/purchases/:id/events",
    {
      preHandler: parts.guard.require,
      exposeHeadRoute: false,
      schema: {
        tags,
        summary: "Its changes as server-sent events named `purchase`, each a Purchase, until nothing can change",
        params: idParams,
        produces: ["text/event-stream"],
      },
    },
    async (request, reply) => {
      const { userId } = sessionOf(request);
      const purchase = await findPurchase(gateway, request.params.id, userId);
      parts.streams.watch(gateway.streams.start(request, reply, userId), purchase);
    },
  );

  app.get<{ Params: { saleId: string } }>(
    "/sales/:saleId/purchases",
    {
      preHandler: parts.guard.require,
      schema: {
        tags,
        summary: "One's own purchases of a sale, oldest first",
        params: z.object({ saleId: z.string() }),
        response: { 200: Purchases, "4xx": Problem },
      },
    },
    async (request) => ({ purchases: await ownPurchases(gateway, request.params.saleId, sessionOf(request).userId) }),
  );
}

const idParams = z.object({ id: z.string() });

/** The result where there is one; else, while it is on its way, where it stands. Throws not-found. */
async function findPurchase(gateway: Gateway, id: string, userId: string): Promise<PurchaseView> {
  const saleId = saleOfPurchase(id);
  if (saleId === undefined) throw noSuchPurchase();
  // Asked before the look-up, in this order: it cannot end unseen between the two.
  const [pending, result] = await Promise.all([
    gateway.inFlight.find({ id: id as PurchaseId, saleId, userId: userId as UserId }),
    gateway.resolver.lookUp(saleId, id),
  ]);
  if (result !== undefined) {
    if (result.userId !== userId) throw noSuchPurchase();
    return purchaseOfResult(result);
  }
  if (pending === undefined || pending.terms.userId !== userId) throw noSuchPurchase();
  if (pending.stage === "admitting") await pending.reaches(["published", "refused", "ended"], gateway.timings.waitMs);
  if (pending.stage === "refused") throw noSuchPurchase();
  gateway.resolver.resolveWhenOverdue(pending);
  pending.told = true;
  const standing = await gateway.inFlight.standing(pending);
  return pending.result === undefined ? queuedPurchase(pending, standing) : purchaseOfResult(pending.result);
}

async function ownPurchases(gateway: Gateway, saleId: string, userId: string): Promise<readonly PurchaseView[]> {
  // What can be no sale's id has no purchases either.
  const onTheirWay = /^[A-Za-z0-9_-]{1,40}$/.test(saleId)
    ? await gateway.inFlight.ofBuyer(saleId as SaleId, userId as UserId)
    : [];
  const buyer = await gateway.stockState.get<BuyerUnits>(saleId, stockKeys.buyer(saleId, userId));
  const ended = buyer?.purchaseIds ?? [];
  const found = await gateway.stockState.getMany<PurchaseResult>(
    saleId,
    ended.map((id) => stockKeys.result(id)),
  );
  const views = found.flatMap((result) => (result === undefined ? [] : [purchaseOfResult(result)]));
  for (const pending of onTheirWay) {
    if (ended.includes(pending.terms.id)) continue;
    const standing = await gateway.inFlight.standing(pending);
    views.push(pending.result === undefined ? queuedPurchase(pending, standing) : purchaseOfResult(pending.result));
  }
  return views;
}

/**
 * "Try again with a crowd": a shopper starts a sale that simulated shoppers storm.
 *
 * What can go wrong: many shoppers click at once, at several gateways, or one clicks often. A crowd sale of that product that is about to
 * open or open is returned instead of a new one, and there are never more than a few crowds at a time.
 */
import { Problem, Sale, type Sale as SaleAnswer } from "@plateau/domain";
import { inTurn } from "@plateau/prisma";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ProblemError } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";
import type { ReplaySettings } from "../gateway-options.ts";
import type { SaleOpening } from "../sales/sale-opening.ts";
import type { SaleRow } from "../sales/sale-view.ts";
import type { SessionGuard } from "../session/session-guard.ts";
import { knownSale, liveView } from "./catalogue.ts";

const opensInMs = 5_000;
const lastsMs = 10 * 60_000;
/** A crowd sale further off is not "about to open". */
const soonMs = 30_000;
const crowdsAtOnce = 3;

export function replayRoute(
  app: FastifyInstance,
  gateway: Gateway,
  parts: { readonly guard: SessionGuard; readonly opening: SaleOpening; readonly settings: ReplaySettings },
): void {
  let turn: Promise<unknown> = Promise.resolve();
  app.post<{ Params: { saleId: string } }>(
    "/sales/:saleId/replay",
    {
      preHandler: parts.guard.require,
      schema: {
        tags: ["catalogue"],
        summary: "Open the same sale again, with a crowd, in 5 s; 200 with the one that is there already",
        params: z.object({ saleId: z.string() }),
        response: { 200: Sale, 201: Sale, "4xx": Problem },
      },
    },
    async (request, reply) => {
      const row = await knownSale(gateway, request.params.saleId);
      // One after another: the second finds what the first opened. Here first, so that a crowd waits without connections.
      const answer = turn
        .catch(() => undefined)
        .then(() => inTurn(gateway.db, "replay", () => openOrFind(gateway, parts, row)));
      turn = answer;
      const { sale, opened } = await answer;
      return reply.code(opened ? 201 : 200).send(sale);
    },
  );
}

async function openOrFind(
  gateway: Gateway,
  parts: { readonly opening: SaleOpening; readonly settings: ReplaySettings },
  row: SaleRow,
): Promise<{ readonly sale: SaleAnswer; readonly opened: boolean }> {
  const nowMs = gateway.queue.now();
  gateway.catalogue.forget();
  const crowds = (await gateway.catalogue.sales()).filter(
    ({ crowd, startsAt, closedAt }) => crowd > 0 && closedAt === null && startsAt.getTime() <= nowMs + soonMs,
  );
  const running: { sale: SaleAnswer; productId: string }[] = [];
  for (const crowd of crowds) {
    const sale = await liveView(gateway, crowd);
    if (sale.state === "upcoming" || sale.state === "open") running.push({ sale, productId: crowd.productId });
  }
  const same = running.find(({ productId }) => productId === row.productId);
  if (same !== undefined) return { sale: same.sale, opened: false };
  if (running.length >= crowdsAtOnce) {
    throw new ProblemError("throttled", "Enough crowds for now", {
      retryAfterMs: 10_000,
      members: { limit: "crowds" },
    });
  }
  const opened = await parts.opening.open({
    productId: row.productId,
    title: row.title,
    priceCents: row.priceCents,
    stock: row.stock,
    perUserLimit: row.perUserLimit,
    startsAt: new Date(nowMs + opensInMs),
    endsAt: new Date(nowMs + opensInMs + lastsMs),
    paymentTimeoutMs: row.paymentTimeoutMs,
    crowd: row.crowd === 0 || row.house ? gateway.knobs.get().crowdShoppers : row.crowd,
    decisionCostMs: row.decisionCostMs === 0 ? parts.settings.decisionCostMs : row.decisionCostMs,
    house: false,
  });
  return { sale: await liveView(gateway, opened), opened: true };
}

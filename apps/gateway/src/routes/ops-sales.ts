/**
 * Shoppers for load tests, and sales.
 *
 * What can go wrong: nothing takes an unbounded count, and what is inserted at once is bounded too.
 */
import { randomBytes } from "node:crypto";
import {
  EmptyBody,
  newUserId,
  OpsSaleBody,
  OpsShoppers,
  OpsShoppersBody,
  Problem,
  type Product,
  Sale,
} from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ProblemError } from "../edge/problem.ts";
import type { Marks, NewMark } from "../flow/marks.ts";
import type { Gateway } from "../gateway.ts";
import type { NewSale, SaleOpening } from "../sales/sale-opening.ts";
import type { SaleRow } from "../sales/sale-view.ts";
import { knownSale, liveView } from "./catalogue.ts";

const tags = ["ops"];
const rowsPerInsert = 2_000;
const defaultSaleLastsMs = 3_600_000;
const defaultPaymentTimeoutMs = 120_000;

export function shopperRoute(ops: FastifyInstance, gateway: Gateway): void {
  ops.post<{ Body: { count: number } }>(
    "/ops/shoppers",
    {
      schema: {
        tags,
        summary: "Simulated shoppers with tokens",
        body: OpsShoppersBody,
        response: { 201: OpsShoppers, "4xx": Problem },
      },
    },
    async (request, reply) => {
      const batch = randomBytes(3).toString("hex");
      const users = Array.from({ length: request.body.count }, (_, index) => ({
        id: newUserId(),
        name: `Shopper ${batch}-${index + 1}`,
        simulated: true,
      }));
      for (let from = 0; from < users.length; from += rowsPerInsert) {
        await gateway.db.user.createMany({ data: users.slice(from, from + rowsPerInsert) });
      }
      const shoppers = await Promise.all(
        users.map(async ({ id, name }) => ({
          userId: id,
          token: (await gateway.sessions.sign({ userId: id, name })).token,
        })),
      );
      return reply.code(201).send({ shoppers });
    },
  );
}

export function saleRoutes(
  ops: FastifyInstance,
  gateway: Gateway,
  { opening, marks }: { readonly opening: SaleOpening; readonly marks: Marks },
): void {
  ops.post<{ Body: OpsSaleBody }>(
    "/ops/sales",
    {
      schema: {
        tags,
        summary: "A new sale, open at once unless `startsAt` says otherwise",
        body: OpsSaleBody,
        response: { 201: Sale, "4xx": Problem },
      },
    },
    async (request, reply) => {
      const row = await opening.open(newSale(request.body, await gateway.catalogue.products(), gateway.queue.now()));
      marks.add(saleMade(row));
      return reply.code(201).send(await liveView(gateway, row));
    },
  );

  ops.post<{ Params: { id: string } }>(
    "/ops/sales/:id/reset",
    {
      schema: {
        tags,
        summary: "Closes a sale and opens the same anew, under a new id",
        params: z.object({ id: z.string() }),
        body: EmptyBody,
        response: { 201: Sale, "4xx": Problem },
      },
    },
    async (request, reply) => {
      const old = await knownSale(gateway, request.params.id);
      const { id: _id, closedAt: _closedAt, product: _product, startsAt, endsAt, ...terms } = old;
      const nowMs = gateway.queue.now();
      const row = await opening.replace(old, {
        ...termsOnly(terms),
        startsAt: new Date(nowMs),
        endsAt: new Date(nowMs + endsAt.getTime() - startsAt.getTime()),
      });
      marks.add(saleMade(row));
      return reply.code(201).send(await liveView(gateway, row));
    },
  );
}

const saleMade = ({ id, title, stock }: SaleRow): NewMark => ({
  kind: "sale-made",
  what: id,
  detail: { title, stock },
  by: "control room",
});

/** Rows carry more than a new sale takes, such as when they were made. */
function termsOnly(terms: Omit<NewSale, "startsAt" | "endsAt">): Omit<NewSale, "startsAt" | "endsAt"> {
  const { productId, title, priceCents, stock, perUserLimit, paymentTimeoutMs, decisionCostMs, crowd, house } = terms;
  return { productId, title, priceCents, stock, perUserLimit, paymentTimeoutMs, decisionCostMs, crowd, house };
}

function newSale(body: OpsSaleBody, products: readonly Product[], nowMs: number): NewSale {
  const product = body.productId === undefined ? products[0] : products.find(({ id }) => id === body.productId);
  if (product === undefined) throw new ProblemError("invalid-request", "productId: no such product");
  const startsAt = new Date(body.startsAt ?? nowMs);
  const endsAt = new Date(body.endsAt ?? startsAt.getTime() + defaultSaleLastsMs);
  if (endsAt <= startsAt) throw new ProblemError("invalid-request", "endsAt must be after startsAt");
  return {
    productId: product.id,
    title: body.title ?? product.title,
    priceCents: body.priceCents ?? product.priceCents,
    stock: body.stock,
    perUserLimit: body.perUserLimit ?? 1,
    startsAt,
    endsAt,
    paymentTimeoutMs: body.paymentTimeoutMs ?? defaultPaymentTimeoutMs,
    decisionCostMs: body.decisionCostMs ?? 0,
    crowd: body.crowd ?? 0,
    house: body.house ?? false,
  };
}

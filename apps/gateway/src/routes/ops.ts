/**
 * The control room: shoppers for load tests, sales, settings, faults of the outside world, numbers.
 *
 * What can go wrong: everything here is powerful, so all of it stands behind the admin token, and nothing takes an
 * unbounded count.
 */
import { randomBytes, randomInt } from "node:crypto";
import {
  EmptyBody,
  Knobs,
  KnobsPatch,
  newUserId,
  OpsSaleBody,
  OpsShoppers,
  OpsShoppersBody,
  PoisonBody,
  Problem,
  type Product,
  ReplyFaults,
  Sale,
} from "@plateau/domain";
import { stringifySetCookie } from "cookie";
import type { FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import { ProblemError } from "../edge/problem.ts";
import type { FlowSampler } from "../flow/flow-samples.ts";
import type { Gateway } from "../gateway.ts";
import type { NewSale, SaleOpening } from "../sales/sale-opening.ts";
import { type AdminGuard, adminCookieName } from "../session/admin-guard.ts";
import type { Broadcast } from "../streams/broadcast.ts";
import { knownSale, liveView } from "./catalogue.ts";
import { countDeadLetters, deadLetterRoutes } from "./dead-letters.ts";
import { reconciliationRoute } from "./reconciliation.ts";

const tags = ["ops"];
const rowsPerInsert = 2_000;
const defaultSaleLastsMs = 3_600_000;
const defaultPaymentTimeoutMs = 120_000;
const AdminSessionBody = z.strictObject({ token: z.string().max(200) });

export interface OpsParts {
  readonly admin: AdminGuard;
  readonly opening: SaleOpening;
  readonly sampler: FlowSampler;
  readonly broadcast: Broadcast;
}

export function opsRoutes(app: FastifyInstance, gateway: Gateway, parts: OpsParts): void {
  signInRoute(app, gateway, parts.admin);
  void app.register(async (ops) => {
    ops.addHook("onRequest", parts.admin.require);
    shopperRoute(ops, gateway);
    saleRoutes(ops, gateway, parts.opening);
    knobRoutes(ops, gateway);
    faultRoutes(ops, gateway);
    queueFaultRoutes(ops, gateway);
    deadLetterRoutes(ops, gateway);
    reconciliationRoute(ops, gateway);
    numberRoutes(ops, gateway, parts);
  });
}

/** So that the control room's page needs to keep no token where scripts can read it. */
function signInRoute(app: FastifyInstance, gateway: Gateway, admin: AdminGuard): void {
  const secure = gateway.options.secureCookies === true;
  app.post<{ Body: { token: string } }>(
    "/ops/session",
    {
      schema: {
        tags,
        summary: "The admin token as a cookie",
        body: AdminSessionBody,
        response: { 204: z.null(), 401: Problem },
      },
    },
    async (request, reply) => {
      if (!admin.knows(request.body.token)) throw new ProblemError("unauthenticated");
      const cookie = stringifySetCookie({
        name: adminCookieName(secure),
        value: request.body.token,
        path: "/",
        httpOnly: true,
        sameSite: "strict",
        secure,
      });
      return reply.code(204).header("set-cookie", cookie).send();
    },
  );
}

function shopperRoute(ops: FastifyInstance, gateway: Gateway): void {
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

function saleRoutes(ops: FastifyInstance, gateway: Gateway, opening: SaleOpening): void {
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
      return reply.code(201).send(await liveView(gateway, row));
    },
  );
}

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

function knobRoutes(ops: FastifyInstance, { knobs }: Gateway): void {
  ops.get("/ops/knobs", { schema: { tags, summary: "Settings", response: { 200: Knobs } } }, async () => knobs.get());
  ops.patch<{ Body: z.infer<typeof KnobsPatch> }>(
    "/ops/knobs",
    {
      schema: {
        tags,
        summary: "Change settings; they act at once",
        body: KnobsPatch,
        response: { 200: Knobs, "4xx": Problem },
      },
    },
    async (request) => knobs.patch(request.body),
  );
}

/** The outside world's faults are the sandbox's own; orders are passed on and its answer passed back. */
function faultRoutes(ops: FastifyInstance, { options }: Gateway): void {
  const pass = async (path: string, init: RequestInit, reply: FastifyReply) => {
    if (options.sandboxUrl === undefined) throw new ProblemError("not-found", "No sandbox is attached");
    const answer = await fetch(`${options.sandboxUrl}${path}`, { ...init, signal: AbortSignal.timeout(5_000) }).catch(
      () => undefined,
    );
    if (answer === undefined)
      throw new ProblemError("unavailable", "The sandbox does not answer", { retryAfterMs: 2_000 });
    if (answer.status === 400) throw new ProblemError("invalid-request", "The sandbox knows no such fault");
    if (!answer.ok) throw new ProblemError("unavailable", "The sandbox failed", { retryAfterMs: 2_000 });
    return reply.send(await answer.json());
  };
  ops.get("/ops/faults", { schema: { tags, summary: "Faults of the outside world" } }, async (_request, reply) =>
    pass("/faults", {}, reply),
  );
  ops.put<{ Params: { service: "payments" | "sms" | "risk" } }>(
    "/ops/faults/:service",
    {
      schema: {
        tags,
        summary: "Order latency, failures and rate limits; what is not named is as usual again",
        params: z.object({ service: z.enum(["payments", "sms", "risk"]) }),
        body: z.record(z.string(), z.number()),
      },
    },
    async (request, reply) =>
      pass(
        `/faults/${request.params.service}`,
        { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(request.body) },
        reply,
      ),
  );
}

/** Of the way between the stages and the gateways, and in what the stages are given to read. */
function queueFaultRoutes(ops: FastifyInstance, { queue, replyFaults }: Gateway): void {
  ops.put(
    "/ops/faults/replies",
    {
      schema: {
        tags,
        summary: "Lose or delay replies to the gateways; what is not named is as usual again",
        body: ReplyFaults.partial(),
        response: { 200: ReplyFaults, "4xx": Problem },
      },
    },
    ({ body }) => replyFaults.order(body),
  );
  ops.post<{ Body: z.infer<typeof PoisonBody> }>(
    "/ops/faults/poison",
    {
      schema: {
        tags,
        summary: "Put a message that nobody can read into a topic; it ends among the topic's dead letters",
        body: PoisonBody,
        response: { 201: PoisonBody.extend({ partition: z.int(), offset: z.int() }), "4xx": Problem },
      },
    },
    async ({ body: { topic } }, reply) => {
      const partition = randomInt(queue.engine.topic(topic)?.partitions ?? 1);
      const poison = {
        topic,
        partition,
        key: `poison-${randomBytes(4).toString("hex")}`,
        value: Buffer.from("\u0000{"),
      };
      const { offsets } = await queue.engine.commit({ append: [poison] });
      return reply.code(201).send({ topic, partition, offset: offsets[0] as number });
    },
  );
}

function numberRoutes(ops: FastifyInstance, gateway: Gateway, { sampler, broadcast }: OpsParts): void {
  ops.get("/ops/statistics", { schema: { tags, summary: "Numbers of this gateway and its engine" } }, async () => ({
    gatewayId: gateway.id,
    atMs: gateway.queue.now(),
    totals: {
      arrivals: gateway.meter.totals.arrivals,
      admitted: gateway.meter.totals.admitted,
      refused: Object.fromEntries(gateway.meter.totals.refused),
      outcomes: Object.fromEntries(gateway.meter.totals.outcomes),
    },
    flow: sampler.latest ?? (await sampler.sample()),
    pending: gateway.pending.size,
    replies: gateway.requester.statistics(),
    streams: gateway.streams.statistics,
    deadLetters: await countDeadLetters(gateway.queue),
    engine: { name: gateway.queue.engine.name, ...gateway.queue.engine.statistics() },
    memory: process.memoryUsage(),
  }));
  ops.get(
    "/ops/stream",
    {
      exposeHeadRoute: false,
      schema: {
        tags,
        summary: "The control room's numbers each second, as server-sent events named `flow`",
        produces: ["text/event-stream"],
      },
    },
    async (request, reply) => {
      broadcast.add(request, reply, "ops");
    },
  );
}

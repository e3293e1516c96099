/**
 * The endpoint that all four ways serve: `POST /api/sales/:saleId/purchases`, with the answers of the shop's own.
 *
 * What can go wrong: a decision takes longer than anybody holds a call. The answer is then 202 with a Location, which
 * is true whatever happens next; the purchase goes on, and who asks there is held until its end is known. A repeat
 * with the same key joins the purchase on its way, or gets the answer that was given before; after a refusal it is a
 * new try. Shoppers here have no accounts: the bearer token is the user's id.
 */
import { randomBytes } from "node:crypto";
import { type ProblemCode, type PurchaseId, problems, purchaseIdOf } from "@plateau/domain";
import fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { TooLate } from "./slots.ts";
import { type Decision, expired, type Ground, type Purchase, type RunningWay } from "./way.ts";

/** How long somebody who asks after a purchase is held. */
const holdMs = 10_000;

interface Entry {
  readonly userId: string;
  readonly decided: Promise<Decision>;
  decision: Decision | undefined;
}

export type Served = Pick<RunningWay, "url" | "backlog" | "told" | "stop">;

/** `buy` may reject with TooLate, which counts as expired. `deadlineMs` is on the clock of `performance.now()`. */
export async function servePurchases(
  { settings, saleId }: Pick<Ground, "settings" | "saleId">,
  buy: (purchase: Purchase, deadlineMs: number) => Promise<Decision>,
): Promise<Served> {
  const secret = randomBytes(16);
  const entries = new Map<PurchaseId, Entry>();
  let undecided = 0;
  let isStopping = false;

  const begin = (purchase: Purchase): Entry => {
    undecided += 1;
    const decided = buy(purchase, performance.now() + settings.decideWithinMs)
      .catch((error: unknown) => {
        if (error instanceof TooLate) return expired;
        throw error;
      })
      .then((decision) => {
        entry.decision = decision;
        if (decision.state === "refused") entries.delete(purchase.id);
        return decision;
      })
      .finally(() => {
        undecided -= 1;
      });
    const entry: Entry = { userId: purchase.userId, decided, decision: undefined };
    decided.catch(() => undefined);
    entries.set(purchase.id, entry);
    return entry;
  };

  const app = fastify({ bodyLimit: 1_024, forceCloseConnections: true });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const isOurs = (error.statusCode ?? 500) >= 500;
    // What is on its way when a way is stopped loses what it works on.
    if (isOurs && !isStopping) console.error(error);
    return sendProblem(reply, isOurs ? "internal-error" : "invalid-request");
  });
  app.post<{ Params: { saleId: string } }>("/api/sales/:saleId/purchases", async (request, reply) => {
    const { userId, idempotencyKey, deviceId } = askerOf(request);
    if (userId === "") return sendProblem(reply, "unauthenticated");
    if (idempotencyKey === "") return sendProblem(reply, "invalid-request");
    if (request.params.saleId !== saleId) return sendProblem(reply, "not-found");
    const id = purchaseIdOf(secret, { userId, saleId, idempotencyKey });
    const entry = entries.get(id) ?? begin({ id, saleId, userId, deviceId });
    return sendPost(reply, { id, saleId, userId }, await within(settings.waitMs, entry.decided));
  });
  app.get<{ Params: { id: PurchaseId } }>("/api/purchases/:id", async (request, reply) => {
    const { id } = request.params;
    const entry = entries.get(id);
    if (entry?.userId !== askerOf(request).userId) return sendProblem(reply, "not-found");
    const decision = await within(holdMs, entry.decided);
    if (decision?.state === "refused") return sendProblem(reply, decision.problem, decision.retryAfterMs);
    return reply.send({ id, saleId, userId: entry.userId, state: decision?.state ?? "queued" });
  });

  return {
    url: await app.listen({ host: "127.0.0.1", port: 0 }),
    backlog: () => undecided,
    told: () =>
      new Map(
        [...entries.values()].flatMap(({ userId, decision }) =>
          decision === undefined ? [] : [[userId, decision.state] as const],
        ),
      ),
    stop() {
      isStopping = true;
      return app.close();
    },
  };
}

interface Asker {
  readonly userId: string;
  readonly idempotencyKey: string;
  readonly deviceId: string;
}

function askerOf({ headers }: FastifyRequest): Asker {
  const text = (value: string | string[] | undefined): string => (typeof value === "string" ? value : "");
  return {
    userId: /^Bearer (\S{1,100})$/.exec(headers.authorization ?? "")?.[1] ?? "",
    idempotencyKey: text(headers["idempotency-key"]),
    deviceId: text(headers["x-device-id"]),
  };
}

type Named = Pick<Purchase, "id" | "saleId" | "userId">;

function sendPost(reply: FastifyReply, named: Named, decision: Decision | undefined): FastifyReply {
  if (decision === undefined) {
    return reply
      .code(202)
      .header("location", `/api/purchases/${named.id}`)
      .send({ ...named, state: "queued" });
  }
  switch (decision.state) {
    case "won":
      return reply.code(201).send({ ...named, state: "won" });
    case "sold_out":
      return sendProblem(reply, "sold-out");
    case "rejected":
      return sendProblem(reply, "risk-rejected");
    case "expired":
      return sendProblem(reply, "expired", 1_000);
    case "refused":
      return sendProblem(reply, decision.problem, decision.retryAfterMs);
  }
}

function sendProblem(reply: FastifyReply, code: ProblemCode, retryAfterMs?: number): FastifyReply {
  if (retryAfterMs !== undefined) reply.header("retry-after", Math.max(1, Math.ceil(retryAfterMs / 1_000)));
  const { status, title } = problems[code];
  const body = JSON.stringify({ type: `/problems/${code}`, title, status, code });
  return reply.code(status).type("application/problem+json").send(body);
}

/** Undefined where it takes longer. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

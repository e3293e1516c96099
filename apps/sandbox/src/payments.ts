/**
 * The payment provider: authorise (money is held), then capture (money moves) or void (money is let go).
 *
 * Promises: one authorisation per idempotency key; capture and void may be repeated; an authorisation is never both
 * captured and voided, whoever asks first wins and the other gets 409.
 */
import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { type Guard, idempotencyKey, parse } from "./edge.ts";
import type { Ledger } from "./ledger.ts";
import { notFound, Problem } from "./problem.ts";

const AuthorisationBody = z.strictObject({
  /** The shop's own name for this payment. */
  reference: z.string().min(1).max(200),
  amountCents: z.int().min(0).max(1_000_000_000),
  /** A real provider decides by the card; this one is told. */
  outcome: z.enum(["succeed", "decline"]),
});

const ListQuery = z.strictObject({
  reference: z.string().max(200).optional(),
  prefix: z.string().max(200).optional(),
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
});

export function servePayments(app: FastifyInstance, ledger: Ledger, guard: Guard): void {
  app.post("/payments/authorisations", async (request, reply) => {
    const body = parse(AuthorisationBody, request.body);
    const key = idempotencyKey(request);
    return guard(reply, () =>
      ledger.once("payments", key, JSON.stringify([body.reference, body.amountCents, body.outcome]), () => {
        if (body.outcome === "decline") {
          return { status: 402, body: new Problem(402, "declined", "The bank declined the card.").body };
        }
        const id = `auth_${randomBytes(16).toString("base64url")}`;
        const { reference, amountCents } = body;
        ledger.insertAuthorisation({ id, reference, amountCents, createdAtMs: Date.now() });
        return { status: 201, body: { id, reference, amountCents, status: "authorised" } };
      }),
    );
  });

  for (const [verb, status] of [["capture", "captured"] as const, ["void", "voided"] as const]) {
    app.post<{ Params: { id: string } }>(`/payments/authorisations/:id/${verb}`, (request, reply) =>
      guard(reply, () => {
        const settled = ledger.settle(request.params.id, status, Date.now());
        if (settled === undefined) throw notFound();
        return { status: 200, body: settled };
      }),
    );
  }

  app.get("/payments/authorisations", async (request) => {
    const query = parse(ListQuery, request.query);
    const { rows, next } = ledger.authorisations(query, query);
    return { authorisations: rows, next };
  });
}

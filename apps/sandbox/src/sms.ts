/** The SMS provider. One message per idempotency key, however often it is asked for. */
import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { type Guard, idempotencyKey, parse } from "./edge.ts";
import type { Ledger } from "./ledger.ts";

const SmsBody = z.strictObject({ to: z.string().min(1).max(100), text: z.string().min(1).max(1_000) });

const ListQuery = z.strictObject({
  /** Of the idempotency key. */
  prefix: z.string().max(200).default(""),
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
});

export function serveSms(app: FastifyInstance, ledger: Ledger, guard: Guard): void {
  app.post("/sms", async (request, reply) => {
    const { to, text } = parse(SmsBody, request.body);
    const key = idempotencyKey(request);
    return guard(reply, () =>
      ledger.once("sms", key, JSON.stringify([to, text]), () => {
        const id = `sms_${randomBytes(16).toString("base64url")}`;
        ledger.insertMessage({ id, key, to, text, sentAtMs: Date.now() });
        return { status: 201, body: { id } };
      }),
    );
  });

  app.get("/sms", async (request) => {
    const query = parse(ListQuery, request.query);
    const { rows, next } = ledger.messages(query.prefix, query);
    return { messages: rows, next };
  });
}

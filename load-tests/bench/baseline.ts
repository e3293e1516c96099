/**
 * What the gateway is measured against: the same Fastify, the same session check and the same validation, answering
 * a constant. Whatever the whole way of a purchase costs on top of this is the price of deciding it.
 */
import { PurchaseBody } from "@plateau/domain";
import Fastify from "fastify";
import { serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { z } from "zod";
import { createSessionGuard } from "../../apps/gateway/src/session/session-guard.ts";
import { createSessionTokens } from "../../apps/gateway/src/session/session-tokens.ts";

const secret = process.env.SESSION_SECRET;
if (secret === undefined) throw new Error("SESSION_SECRET is not set");

const tokens = await createSessionTokens({ secret, lifetimeMs: 3_600_000, now: Date.now });
const guard = createSessionGuard(tokens, { secureCookies: false });
const app = Fastify({ logger: false });
app.setValidatorCompiler(validatorCompiler);
app.setSerializerCompiler(serializerCompiler);
app.decorateRequest("session", null);

const answer = JSON.stringify({
  id: "s_0123456789012345678901.0123456789012345678901",
  saleId: "s_0123456789012345678901",
  userId: "u_0123456789012345678901",
  quantity: 1,
  state: "won",
  reservation: { id: "s_0123456789012345678901.0123456789012345678901", payBefore: "2030-01-01T00:00:00.000Z" },
  orderId: "o_0123456789012345678901",
  decidedAt: "2030-01-01T00:00:00.000Z",
});
app.post(
  "/api/sales/:saleId/purchases",
  { preHandler: guard.require, schema: { params: z.object({ saleId: z.string() }), body: PurchaseBody.nullish() } },
  async (_request, reply) => reply.code(201).header("content-type", "application/json; charset=utf-8").send(answer),
);
await app.listen({ host: "127.0.0.1", port: 0 });
const address = app.server.address();
if (address === null || typeof address === "string") throw new Error("no port");
process.send?.({ port: address.port });
process.on("disconnect", () => process.exit(0));

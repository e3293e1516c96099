/**
 * The HTTP edge of the BullMQ flow: Fastify with the session check and the validation of our gateway, one job for each
 * purchase, answered when `waitUntilFinished` tells how the job ended.
 *
 * As documented: finished jobs are removed but for the last 1,000 (https://docs.bullmq.io/guide/going-to-production),
 * answers come by one `QueueEvents` a process (https://docs.bullmq.io/guide/events), and a job's id is made of what
 * must not be done twice (https://docs.bullmq.io/patterns/idempotent-jobs): here of user and idempotency key.
 */
import { createHash } from "node:crypto";
import { PurchaseBody } from "@plateau/domain";
import { Queue, QueueEvents } from "bullmq";
import Fastify from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { createSessionGuard } from "../../../apps/gateway/src/session/session-guard.ts";
import { createSessionTokens } from "../../../apps/gateway/src/session/session-tokens.ts";
import { connectionOf, type PurchaseJob, type PurchaseOutcome, queueName } from "./purchase-flow.ts";

const { SESSION_SECRET: secret, REDIS_URL: redisUrl, PER_USER_LIMIT: perUserLimit } = process.env;
if (secret === undefined || redisUrl === undefined) throw new Error("SESSION_SECRET and REDIS_URL have to be set");
const waitMs = 30_000;

const connection = connectionOf(redisUrl);
const defaultJobOptions = { removeOnComplete: 1_000, removeOnFail: 5_000 };
const queue = new Queue<PurchaseJob, PurchaseOutcome>(queueName, { connection, defaultJobOptions });
const events = new QueueEvents(queueName, { connection });
// Every job that is waited for listens to both.
events.setMaxListeners(0);
queue.setMaxListeners(0);
await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);

const tokens = await createSessionTokens({ secret, lifetimeMs: 3_600_000, now: Date.now });
const guard = createSessionGuard(tokens, { secureCookies: false });
const app = Fastify({ logger: false }).withTypeProvider<ZodTypeProvider>();
app.setValidatorCompiler(validatorCompiler);
app.setSerializerCompiler(serializerCompiler);
app.decorateRequest("session", null);
const schema = { params: z.object({ saleId: z.string() }), body: PurchaseBody.nullish() };
app.post("/api/sales/:saleId/purchases", { preHandler: guard.require, schema }, async (request, reply) => {
  const { saleId } = request.params;
  const userId = request.session?.userId ?? "";
  const quantity = request.body?.quantity ?? 1;
  const key = `${userId} ${saleId} ${String(request.headers["idempotency-key"] ?? crypto.randomUUID())}`;
  const jobId = createHash("sha256").update(key).digest("base64url");
  const job = await queue.add("purchase", { saleId, userId, quantity, perUserLimit: Number(perUserLimit) }, { jobId });
  const state = await job.waitUntilFinished(events, waitMs);
  return reply.code(state === "won" ? 201 : 409).send({ id: jobId, saleId, userId, quantity, state });
});
await app.listen({ host: "127.0.0.1", port: 0 });
const address = app.server.address();
if (address === null || typeof address === "string") throw new Error("no port");
process.send?.({ port: address.port });
process.on("disconnect", () => process.exit(0));

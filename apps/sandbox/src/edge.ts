/** What every route shares: checked input, and the gate before the work. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { ProviderGate } from "./faults.ts";
import type { Answer } from "./ledger.ts";
import { invalidRequest } from "./problem.ts";

/** Passes the gate, does the work, sends its answer, unless the answer is to be lost. */
export type Guard = (reply: FastifyReply, work: () => Answer) => Promise<FastifyReply>;

export const guardWith =
  (gate: ProviderGate): Guard =>
  async (reply, work) => {
    const { loseAnswer } = await gate.pass();
    const { status, body } = work();
    if (loseAnswer) {
      reply.hijack();
      reply.raw.socket?.destroy();
      return reply;
    }
    const type = status >= 400 ? "application/problem+json" : "application/json";
    return reply.code(status).type(type).send(JSON.stringify(body));
  };

/** Throws the problem `invalid-request` that names the first field that does not fit. */
export function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalidRequest(`${issue?.path.join(".") || "body"}: ${issue?.message ?? "does not fit"}`);
}

export function idempotencyKey(request: FastifyRequest): string {
  const key = request.headers["idempotency-key"];
  if (typeof key !== "string" || !/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw invalidRequest("header Idempotency-Key: 1 to 200 visible ASCII characters are needed");
  }
  return key;
}

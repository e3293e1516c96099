/** The payment provider over HTTP, as `apps/sandbox` serves it. */
import { z } from "zod";
import { connectProvider } from "../providers/http-calls.ts";
import type { PaymentProvider, SettleAnswer } from "./payment-provider.ts";

const Authorised = z.object({ id: z.string() });
const Declined = z.object({ detail: z.string() });
const Listed = z.object({
  authorisations: z.array(z.object({ id: z.string(), status: z.enum(["authorised", "captured", "voided"]) })),
});

export function createHttpPaymentProvider({ url }: { readonly url: string }): PaymentProvider {
  const callProvider = connectProvider(url);
  const settle = async (id: string, verb: "capture" | "void", signal: AbortSignal): Promise<SettleAnswer> => {
    const path = `/payments/authorisations/${encodeURIComponent(id)}/${verb}`;
    const { status } = await callProvider({ method: "POST", path, expect: [409], signal });
    return status === 409 ? "conflict" : "settled";
  };
  return {
    async authorise({ idempotencyKey, ...body }, signal) {
      const path = "/payments/authorisations";
      const answer = await callProvider({ method: "POST", path, body, idempotencyKey, expect: [402], signal });
      if (answer.status === 402) return { status: "declined", problem: Declined.parse(answer.body).detail };
      return { status: "authorised", authorisationId: Authorised.parse(answer.body).id };
    },
    capture: (id, signal) => settle(id, "capture", signal),
    void: (id, signal) => settle(id, "void", signal),
    async find(reference, signal) {
      const path = `/payments/authorisations?reference=${encodeURIComponent(reference)}`;
      const { body } = await callProvider({ method: "GET", path, signal });
      return Listed.parse(body).authorisations[0];
    },
  };
}

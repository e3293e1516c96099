/** The SMS provider over HTTP, as `apps/sandbox` serves it. */
import { z } from "zod";
import { connectProvider } from "../providers/http-calls.ts";
import type { SmsProvider } from "./sms-provider.ts";

const Sent = z.object({ id: z.string() });

export function createHttpSmsProvider({ url }: { readonly url: string }): SmsProvider {
  const callProvider = connectProvider(url);
  return {
    async send({ idempotencyKey, ...body }, signal) {
      const answer = await callProvider({ method: "POST", path: "/sms", body, idempotencyKey, signal });
      return Sent.parse(answer.body);
    },
  };
}

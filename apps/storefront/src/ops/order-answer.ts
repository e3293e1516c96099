"use client";
/** Orders to the gateway, and what it says against them in words. */
import { useTranslations } from "use-intl";
import { type Call, call, type Reply } from "../browser/api.ts";

export type { Reply };

export const order = <Body>(path: `/api/ops/${string}`, options: Call): Promise<Reply<Body>> => call(path, options);

/** Undefined where all went well. */
export function useProblemText(): (reply: Reply<unknown>) => string | undefined {
  const words = useTranslations("ops.problem");
  return (reply) => {
    if (reply.kind === "ok") return undefined;
    if (reply.kind === "lost") return words("lost");
    return words("refused", { detail: reply.problem.detail ?? reply.problem.title });
  };
}

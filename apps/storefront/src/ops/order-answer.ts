"use client";
/** Orders to the gateway, and what it says against them in words. */
import { useTranslations } from "use-intl";
import { type Call, call, type Reply } from "../browser/api.ts";
import { useSentences } from "../language/words-in-browser.tsx";

export type { Reply };

export const order = <Body>(path: `/api/ops/${string}`, options: Call): Promise<Reply<Body>> => call(path, options);

/** Undefined where all went well. */
export function useProblemText(): (reply: Reply<unknown>) => string | undefined {
  const words = useTranslations("ops.problem");
  const sentences = useSentences();
  return (reply) => {
    if (reply.kind === "ok") return undefined;
    if (reply.kind === "lost") return words("lost");
    // What does not fit is told by the gateway, field by field.
    const { detail } = reply.problem;
    return reply.code === "invalid-request" && detail !== undefined
      ? words("refused", { detail })
      : sentences.problem(reply.code);
  };
}

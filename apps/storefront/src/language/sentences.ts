/**
 * What the shop says when something did not go as wished: what happened, that nothing was charged where that is in
 * question, what can be done now. A code that a newer gateway invents gets the general sentence.
 */
import type { Translator } from "./translator.ts";

export interface Sentences {
  /** For a problem's `code`. */
  problem(code: string): string;
  /** For the reason why risk or stock turned a purchase down. */
  rejection(reason: string | undefined): string;
  /** A short name for tables, of each reason that the statistics count. */
  refusal(reason: string): string;
}

type Key = Parameters<Translator<"errors">>[0];

export function createSentences(t: Translator<"errors">): Sentences {
  const say = (group: "problem" | "rejection" | "refusal", code: string) => {
    const key = `${group}.${code}` as Key;
    return /^[a-z_-]+$/.test(code) && t.has(key) ? t(key) : t(`${group}.other`);
  };
  return {
    problem: (code) => say("problem", code),
    rejection: (reason) => say("rejection", reason ?? "other"),
    refusal: (reason) => say("refusal", reason),
  };
}

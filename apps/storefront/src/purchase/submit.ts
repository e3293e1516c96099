/**
 * One try, from the click to an answer that stands:
 *
 *   submitting ──answer──► known (queued, won, …) or refused
 *       │  ▲
 *       │  └── held: 429 or 503 before anything was published; asks again when the gateway said so, same key
 *       └───► lost: nobody knows whether it arrived; asks again with the same key, until stuck
 *
 * What can go wrong: a new key after a lost answer would buy twice, so the key changes only after an answer that
 * ends the try. A second click while one is under way is the same try.
 */
import type { Purchase } from "@plateau/domain/http";
import type { ProblemCode } from "@plateau/domain/problems";
import type { Reply } from "../browser/api.ts";
import type { Tries } from "./tries.ts";

export type View =
  | { readonly kind: "idle" }
  | { readonly kind: "submitting" }
  | { readonly kind: "lost" }
  | { readonly kind: "stuck" }
  | { readonly kind: "held"; readonly code: ProblemCode; readonly forMs: number }
  | { readonly kind: "refused"; readonly code: ProblemCode; readonly reason?: string }
  | { readonly kind: "known"; readonly purchase: Purchase };

export interface SubmitDeps {
  readonly tries: Tries;
  readonly send: (key: string) => Promise<Reply<Purchase>>;
  readonly wait: (ms: number) => Promise<void>;
  /** Shorter where the network comes back before. */
  readonly waitForNetwork: (ms: number) => Promise<void>;
  readonly random: () => number;
  readonly show: (view: View) => void;
}

const lostPausesMs = [300, 700, 1_500, 3_000, 5_000, 8_000, 12_000];
const holdsMax = 5;
const holdMs = 2_000;
const heldCodes: ReadonlySet<ProblemCode> = new Set<ProblemCode>(["throttled", "overloaded", "unavailable"]);

/** Ends with the view that stands; each step on the way is shown as well. */
export async function submit({ tries, send, wait, waitForNetwork, random, show }: SubmitDeps): Promise<View> {
  const { key } = tries.begin();
  let losses = 0;
  let holds = 0;
  const stand = (view: View) => {
    show(view);
    return view;
  };
  show({ kind: "submitting" });
  for (;;) {
    const reply = await send(key);
    if (reply.kind === "ok") return stand({ kind: "known", purchase: reply.body });
    if (reply.kind === "lost" || reply.code === "internal-error") {
      const pause = lostPausesMs[losses];
      if (pause === undefined) return stand({ kind: "stuck" });
      losses += 1;
      show({ kind: "lost" });
      await waitForNetwork(pause);
      continue;
    }
    const ended = (reply.problem as { purchaseId?: unknown }).purchaseId !== undefined;
    if (!ended && heldCodes.has(reply.code) && holds < holdsMax) {
      holds += 1;
      const forMs = (reply.retryAfterMs ?? holdMs) + Math.round(random() * 500);
      show({ kind: "held", code: reply.code, forMs });
      await wait(forMs);
      show({ kind: "submitting" });
      continue;
    }
    tries.end();
    const { reason } = reply.problem;
    return stand({ kind: "refused", code: reply.code, ...(reason === undefined ? {} : { reason }) });
  }
}

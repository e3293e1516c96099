/**
 * From a result to the HTTP answer of a purchase call. The same result gives the same answer, whichever gateway
 * tells it and however often it is asked.
 */
import type { ProblemCode, PurchaseResult, RejectionReason } from "@plateau/domain";
import type { Refusal } from "../edge/problem.ts";

const codeOfReason = {
  velocity: "risk-rejected",
  blocked: "risk-rejected",
  "shared-device": "risk-rejected",
  "risk-score": "risk-rejected",
  "limit-reached": "limit-reached",
  "sale-not-open": "sale-not-open",
  poison: "unavailable",
} as const satisfies Record<RejectionReason, ProblemCode>;

/** A new try, with a new key, may go better after this. */
const retryAfterExpiryMs = 1_000;

/** Undefined for a win: that is a Purchase, not a problem. */
export function refusalOfResult(result: PurchaseResult): Refusal | undefined {
  const members = { purchaseId: result.purchaseId };
  switch (result.outcome) {
    case "won":
      return undefined;
    case "sold_out":
      return {
        code: "sold-out",
        members: { ...members, asOf: { position: result.position, at: new Date(result.decidedAtMs).toISOString() } },
      };
    case "expired":
      return { code: "expired", retryAfterMs: retryAfterExpiryMs, members };
    case "rejected": {
      const reason = result.reason ?? "poison";
      const code = codeOfReason[reason];
      return {
        code,
        members: { ...members, reason },
        ...(code === "unavailable"
          ? { detail: "This request could not be decided", retryAfterMs: retryAfterExpiryMs }
          : {}),
      };
    }
  }
}

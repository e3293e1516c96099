/** Why a purchase was rejected, in a sentence per reason code. */
import type { RejectionReason } from "@plateau/domain/messages";

const sentences: Record<RejectionReason, string> = {
  velocity:
    "You tried more often than one person does within a minute. Nothing was charged. Wait a minute, then try again.",
  blocked: "Your account is paused for a minute after too many tries. Nothing was charged.",
  "shared-device": "Too many accounts have signed in on this device. Nothing was charged.",
  "risk-score": "The risk check did not let this purchase through. Nothing was charged.",
  "limit-reached": "You already have as many as one person may have of this sale.",
  "sale-not-open": "The sale was not open when your request was decided. Nothing was charged.",
  poison: "Your request could not be decided because of a fault on our side. Nothing was charged.",
};

export const rejectionSentence = (reason: string | undefined): string =>
  reason !== undefined && Object.hasOwn(sentences, reason)
    ? sentences[reason as RejectionReason]
    : "The purchase was turned down. Nothing was reserved, nothing was charged.";

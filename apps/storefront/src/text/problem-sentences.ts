/**
 * What the shop says when the gateway answers with a problem: what happened, that nothing was charged where that is
 * in question, what can be done now. One calm sentence or two for each stable code; a code that a newer gateway
 * invents gets the general one.
 */
import type { ProblemCode } from "@plateau/domain/problems";

const sentences: Record<ProblemCode, string> = {
  "invalid-request": "The shop did not understand this request. Reload the page and try again.",
  unauthenticated: "You are not signed in any more. Sign in and go on where you were.",
  forbidden: "This is not yours to do.",
  "risk-rejected": "Risk control turned this purchase down. Nothing was reserved, nothing was charged.",
  "not-found": "There is nothing here under this address.",
  "method-not-allowed": "The shop did not understand this request. Reload the page and try again.",
  "request-timeout": "Your request took too long to arrive. Check the connection and try again.",
  "sold-out": "Sold out. Nothing was reserved, nothing was charged.",
  "limit-reached": "You already have as many as one person may have of this sale.",
  "sale-not-open": "This sale is not open.",
  "order-not-payable": "This order can no longer be paid. Nothing was charged.",
  "order-not-cancellable": "This order can no longer be cancelled.",
  "body-too-large": "The shop did not understand this request. Reload the page and try again.",
  "unsupported-media-type": "The shop did not understand this request. Reload the page and try again.",
  "key-reused": "This try was already used for something else. Start a new one.",
  throttled: "You asked more often than the shop can listen. Nothing was charged. Wait a moment.",
  "headers-too-large": "The shop did not understand this request. Clear this site's cookies and try again.",
  "internal-error": "Something broke on our side. Nothing was charged. Try again in a moment.",
  overloaded: "More people are here than the queue has room for. Nothing was charged.",
  expired: "There was no decision in time, so your request ended. Nothing was reserved, nothing was charged.",
  unavailable: "The shop is just starting or stopping. Try again in a moment.",
};

const general = "That did not work. Nothing was charged. Try again in a moment.";

export const problemSentence = (code: string): string =>
  Object.hasOwn(sentences, code) ? sentences[code as ProblemCode] : general;

/** Short names of what can become of a request, for tables; one for each reason that the statistics count. */
const names: Readonly<Record<string, string>> = {
  sold_out: "Sold out",
  "sold-out": "Sold out, told at the door",
  expired: "No decision in time",
  velocity: "Too many tries",
  blocked: "Blocked for a minute",
  "shared-device": "Shared device",
  "risk-score": "Risk score",
  "limit-reached": "Limit per person",
  "sale-not-open": "Sale not open",
  poison: "Fault on our side",
  throttled: "Throttled at the door",
  overloaded: "No room in the queue",
  unauthenticated: "Not signed in",
};

export const refusalText = (reason: string): string =>
  Object.hasOwn(names, reason) ? (names[reason] as string) : reason.replaceAll(/[_-]/g, " ");

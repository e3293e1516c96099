/**
 * What the statistics of a sale must be, summed from the log up to where the stats group says it has counted:
 * its offsets lie in the same database transaction as its sums, so the two must be equal, not merely close.
 */
import type { LogEvidence, Recorded } from "./evidence.ts";
import { messagesOf } from "./ledger.ts";

/** Sums by `<saleId> <metric>[ <label>]`; `countedTo` gives the next offset to count by `<topic>/<partition>`. */
export function expectedStatistics(log: LogEvidence, countedTo: ReadonlyMap<string, number>): Map<string, number> {
  const sums = new Map<string, number>();
  const add = (key: string, value: number) => {
    if (value !== 0) sums.set(key, (sums.get(key) ?? 0) + value);
  };
  const counted = (topic: string, { partition, offset }: Recorded<unknown>) =>
    offset < (countedTo.get(`${topic}/${partition}`) ?? 0);

  for (const message of messagesOf(log.results)) {
    if (!counted("results", message)) continue;
    const { saleId, outcome, reason } = message.value;
    add(`${saleId} requests`, 1);
    if (outcome === "won") add(`${saleId} won`, 1);
    else add(`${saleId} refused ${reason ?? outcome}`, 1);
  }
  for (const message of messagesOf(log.reservations)) {
    if (!counted("reservations", message) || message.value.type !== "sold") continue;
    add(`${message.value.saleId} sold-units`, message.value.quantity);
    add(`${message.value.saleId} revenue-cents`, message.value.amountCents);
  }
  for (const message of messagesOf(log.admissions)) {
    if (!counted("admissions", message)) continue;
    const { saleId, arrivals, refused } = message.value;
    add(`${saleId} arrivals`, arrivals);
    for (const [code, number] of Object.entries(refused)) add(`${saleId} shed ${code}`, number);
  }
  return sums;
}

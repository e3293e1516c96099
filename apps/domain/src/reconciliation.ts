/**
 * What a reconciliation found: where stock, orders, payments, SMS and statistics do not agree although they had the
 * time to, and what was done about it. The last report is an entry of its own; the control room reads it there.
 */
import { z } from "zod";

/** What can differ. Stock is the truth: it is compared with, and never changed. */
export const differenceKinds = [
  "order-missing", // a reservation without an order
  "order-behind", // an order that has not heard how its reservation ended
  "units-differ", // the sums of a sale's orders are not what its stock says
  "capture-missing", // sold, and the money was not taken
  "void-missing", // not sold, and the money is still held
  "payment-undecided", // asked for long ago, and neither sold nor refused
  "sms-missing", // an event of an order without its message
  "statistics-differ", // counts that are not those of the orders
] as const;
export type DifferenceKind = (typeof differenceKinds)[number];

/**
 * `made`: the missing row is there now. `asked`: a job for it was added. `under-way`: jobs of its kind are waiting, one
 * of them may be for this. `failed`: its job failed for good, and is not asked for again. `none`: a person has to look.
 */
export const repairs = ["made", "asked", "under-way", "failed", "none"] as const;
export type Repair = (typeof repairs)[number];

const JobCount = z.object({ waiting: z.int(), delayed: z.int(), failed: z.int() });

export const ReconciliationReport = z.object({
  /** `unknown`: something could not be looked at; `unlooked` says what, and why. */
  verdict: z.enum(["agree", "differ", "unknown"]),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /** Sales that were compared, and those that were not because they are changing just now. */
  sales: z.object({ compared: z.int(), changing: z.int() }),
  /** All of them. */
  found: z.int(),
  /** The first hundred. */
  differences: z.array(
    z.object({
      kind: z.enum(differenceKinds),
      /** The sale, reservation, payment or message that it is about. */
      subject: z.string(),
      detail: z.string(),
      repair: z.enum(repairs),
    }),
  ),
  unlooked: z.array(z.object({ what: z.string(), why: z.string() })),
  jobs: z.record(z.string(), JobCount),
});
export type ReconciliationReport = z.infer<typeof ReconciliationReport>;
export type Difference = ReconciliationReport["differences"][number];

/** The entry of the group `reconciliation` on its jobs' topic, whatever store the jobs are in. */
export const lastReportKey = "last";

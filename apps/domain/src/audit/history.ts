/**
 * What a driver outside the fault domain wrote down: each call before it is sent (`invoke`), and what came of it.
 * `ok`: an answer with a meaning arrived. `fail`: it certainly did not happen (connection refused, shed before
 * anything was published). `info`: nobody knows (time-out, connection lost): it may have happened.
 *
 * What can go wrong: a line cut short by the driver's own death. Only the last line may be; any other is an error.
 */
import { z } from "zod";
import { purchaseStates } from "../http.ts";

export const HistoryEntry = z.object({
  /** One sequential client: one shopper. */
  process: z.string(),
  type: z.enum(["invoke", "ok", "fail", "info"]),
  op: z.enum(["purchase", "look-up", "stream", "pay", "cancel"]),
  /** Idempotency key of a purchase, else the id asked about. */
  key: z.string(),
  value: z
    .object({
      saleId: z.string(),
      userId: z.string(),
      purchaseId: z.string().optional(),
      /** What the shopper was told: a purchase's state. */
      state: z.enum(purchaseStates).optional(),
      /** The position that a sold-out hint named. */
      hintedAt: z.int().nonnegative().optional(),
      status: z.int().optional(),
      code: z.string().optional(),
      detail: z.string().optional(),
    })
    .optional(),
  /** Monotonic milliseconds of the driver. */
  tMonoMs: z.number(),
});
export type HistoryEntry = z.infer<typeof HistoryEntry>;

/** Parses JSON lines. Throws with the line's number where one is no entry, save a last line that is cut short. */
export function parseHistory(text: string): HistoryEntry[] {
  const lines = text.split("\n");
  const entries: HistoryEntry[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === "") continue;
    const value = jsonOf(line);
    if (value === undefined && index === lines.length - 1) break;
    const parsed = HistoryEntry.safeParse(value);
    if (!parsed.success) throw new Error(`history line ${index + 1} is not a history entry`);
    entries.push(parsed.data);
  }
  return entries;
}

/** Undefined where it is no JSON. */
function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

/** The positions that sold-out hints named to clients, by sale. */
export function hintsHeard(history: readonly HistoryEntry[]): Map<string, Set<number>> {
  const bySale = new Map<string, Set<number>>();
  for (const { type, value } of history) {
    if (type !== "ok" || value?.hintedAt === undefined) continue;
    const positions = bySale.get(value.saleId) ?? new Set<number>();
    bySale.set(value.saleId, positions.add(value.hintedAt));
  }
  return bySale;
}

/** What a purchase was told to be over its life; told twice, it must be the same story. */
export interface Told {
  readonly purchaseId: string | undefined;
  readonly states: readonly (typeof purchaseStates)[number][];
}

/** The answers about purchases, in the order in which each shopper heard them, by `<process> <idempotency key>`. */
export function toldByPurchase(history: readonly HistoryEntry[]): Map<string, Told> {
  const keyOfPurchase = new Map<string, string>();
  const told = new Map<string, { purchaseId: string | undefined; states: (typeof purchaseStates)[number][] }>();
  for (const entry of history) {
    if (entry.type !== "ok" || entry.value?.state === undefined) continue;
    if (entry.op !== "purchase" && entry.op !== "look-up" && entry.op !== "stream") continue;
    const id = entry.value.purchaseId;
    const known = id === undefined ? undefined : keyOfPurchase.get(id);
    const purchase = entry.op === "purchase" ? `${entry.process} ${entry.key}` : (known ?? `${entry.process} ${id}`);
    if (id !== undefined && known === undefined) keyOfPurchase.set(id, purchase);
    const sofar = told.get(purchase);
    if (sofar === undefined) told.set(purchase, { purchaseId: id, states: [entry.value.state] });
    else {
      sofar.states.push(entry.value.state);
      sofar.purchaseId ??= id;
    }
  }
  return told;
}

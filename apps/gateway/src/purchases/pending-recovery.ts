/**
 * After a start: which purchases are on their way though this gateway never sent them?
 *
 * What can go wrong: a shopper who holds a 202 from before a crash would get "nothing here" until the decision.
 * Requests that no stage has decided yet still lie in the log, so they are read from there. `purchase-requests` is
 * read first: a request that risk passes on meanwhile is then met in `stock-commands`.
 */
import { groups, purchaseRequests, type RequestMessage, type StockCommand, stockCommands } from "@plateau/domain";
import type { Queue, Topic } from "queue-core";
import type { PendingPurchases } from "./pending-purchases.ts";

const readAtOnce = 1_000;

/** Resolves with how many were found. */
export async function recoverPending(queue: Queue, pending: PendingPurchases): Promise<number> {
  const before = pending.size;
  const undecided = new Map<string, Extract<RequestMessage | StockCommand, { type: "purchase" }>>();
  const note = (message: RequestMessage | StockCommand): void => {
    if (message.type === "purchase") undecided.set(message.purchaseId, message);
  };
  await readUncommitted(queue, groups.risk, purchaseRequests, note);
  await readUncommitted(queue, groups.stock, stockCommands, note);
  const byDeadline = [...undecided.values()].sort((a, b) => a.decideByMs - b.decideByMs);
  for (const message of byDeadline) {
    if (pending.get(message.purchaseId) !== undefined) continue;
    const entry = pending.begin({
      id: message.purchaseId,
      saleId: message.saleId,
      userId: message.userId,
      quantity: message.quantity,
      fingerprint: message.fingerprint,
      deadlineMs: message.decideByMs,
    });
    entry.told = true;
    pending.published(entry, 0);
  }
  return pending.size - before;
}

async function readUncommitted<T>(
  queue: Queue,
  group: string,
  topic: Topic<T>,
  note: (value: T) => void,
): Promise<void> {
  for (const { partition, committed, end } of await queue.groupStatistics(group, topic as Topic<unknown>)) {
    for (let offset = committed; offset < end; ) {
      const batch = await queue.browse(topic, partition, offset, readAtOnce);
      for (const message of batch) note(message.value);
      const last = batch.at(-1);
      if (last === undefined) break;
      offset = last.offset + 1;
    }
  }
}

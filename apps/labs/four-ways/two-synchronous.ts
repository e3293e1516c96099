/**
 * Way 2: the two steps that decide are synchronous, the other three follow through a queue (异步处理).
 *
 *   shopper ──► risk ──► stock ──► shopper
 *                          └──► accepted ──► order, SMS, statistics
 *
 * What can go wrong:
 * - Every request still reaches the scorer and the row of the stock at the moment it comes: a spike waits before the
 *   one row that all of them lock, and most wait in vain.
 * - Stock and message are two stores. A process that dies between them has sold a unit that nobody will ever deliver;
 *   a half message (事务消息) would close that gap.
 * - Order, SMS and statistics come later than the answer: somebody who looks at once sees no order yet.
 *
 * Promise: who is told "won" has a unit, and a message on the disk that will become order, SMS and statistics.
 */
import { QueueError, type Topic } from "queue-core";
import { accepted, followUp } from "./follow-up.ts";
import { servePurchases } from "./purchase-server.ts";
import { type Ground, type RunningWay, rejected, soldOut, won } from "./way.ts";

export async function startTwoSynchronous(ground: Ground): Promise<RunningWay> {
  const { steps } = ground;
  const queue = await ground.openQueue([accepted as Topic<never>]);
  const follow = await followUp(queue, steps);

  const server = await servePurchases(ground, async (purchase, deadlineMs) => {
    if (!(await steps.passesRisk(purchase, deadlineMs))) return rejected;
    if (!(await steps.locksStock(purchase, deadlineMs))) return soldOut;
    try {
      await queue.publish(accepted, purchase, { id: purchase.id });
    } catch (error) {
      // Where it may be stored all the same, the unit stays taken: better one too few than one too many.
      if (error instanceof QueueError && error.outcome === "not_stored") await steps.givesBackStock(purchase);
      throw error;
    }
    return won;
  });

  return {
    ...server,
    following: () => follow.left(),
    unitsLeft: () => ground.unitsInDatabase(),
  };
}

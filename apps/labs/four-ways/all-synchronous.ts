/**
 * Way 1: all five steps between request and answer.
 *
 *   shopper ──► risk ──► stock ──► order ──► SMS ──► statistics ──► shopper
 *
 * What can go wrong:
 * - The slowest step sets the pace of all: an SMS provider that grants 80 messages a second makes a shop that sells
 *   80 a second.
 * - A spike waits in memory, in the lines before scorer, database and provider. Three steps of each purchase want the
 *   same few connections, so those who are nearly through wait behind those who have just come.
 * - A process that dies after the stock was locked forgets the purchase: a unit is gone, and no order was written.
 *   Nothing but a look through the tables will find it.
 * - A step that fails after the stock was locked can be repeated only for as long as this process lives.
 *
 * Promise: who is told "won" has the order, the SMS and the place in the statistics already.
 */
import { servePurchases } from "./purchase-server.ts";
import { insistOn } from "./steps.ts";
import { type Ground, type RunningWay, rejected, soldOut, won } from "./way.ts";

export async function startAllSynchronous(ground: Ground): Promise<RunningWay> {
  const { steps } = ground;
  let following = 0;
  const doNext = async (step: () => Promise<void>): Promise<void> => {
    await insistOn(step);
    following -= 1;
  };

  const server = await servePurchases(ground, async (purchase, deadlineMs) => {
    if (!(await steps.passesRisk(purchase, deadlineMs))) return rejected;
    if (!(await steps.locksStock(purchase, deadlineMs))) return soldOut;
    // From here on it is sold: there is no way back and no deadline.
    following += 3;
    await doNext(() => steps.writesOrders([purchase]));
    await doNext(() => steps.sendsSms(purchase));
    await doNext(() => steps.counts([purchase]));
    return won;
  });

  return {
    ...server,
    following: async () => following,
    unitsLeft: () => ground.unitsInDatabase(),
  };
}

/**
 * Way 4: a token bucket (令牌桶) instead of a request queue. A token is due as often as the back end can decide a
 * purchase; who finds none is refused at once, and nothing is done for them.
 *
 *   shopper ──► token? ── no ──► 429, come again
 *                 └─ yes ──► risk ──► stock ──► shopper
 *                                       └──► accepted ──► order, SMS, statistics
 *
 * What can go wrong:
 * - The rate is a guess at what the back end can do. Too low, and the shop turns people away while its workers rest;
 *   too high, and it is way 2.
 * - Nobody's place is kept: who comes again may be refused again, and luck decides instead of who came first.
 * - A bucket that was full lets a burst through at once; the back end has to bear that too.
 * - Stock and message are two stores, as in way 2.
 *
 * Promise: however many come, the back end gets no more than rate × time + burst, and everybody is answered in about
 * the time that a quiet shop takes.
 */
import { createTokenBucket, QueueError, type Topic } from "queue-core";
import { accepted, followUp } from "./follow-up.ts";
import { servePurchases } from "./purchase-server.ts";
import { type Ground, type RunningWay, rejected, soldOut, won } from "./way.ts";

export async function startTokenBucket(ground: Ground): Promise<RunningWay> {
  const { steps, settings } = ground;
  const queue = await ground.openQueue([accepted as Topic<never>]);
  const follow = await followUp(queue, steps);
  const bucket = createTokenBucket({
    now: () => queue.now(),
    ratePerSecond: settings.tokensPerSecond,
    burst: settings.tokenBurst,
  });

  const server = await servePurchases(ground, async (purchase, deadlineMs) => {
    const token = bucket.take();
    if (!token.ok) return { state: "refused", problem: "throttled", retryAfterMs: token.retryAfterMs };
    if (!(await steps.passesRisk(purchase, deadlineMs))) return rejected;
    if (!(await steps.locksStock(purchase, deadlineMs))) return soldOut;
    try {
      await queue.publish(accepted, purchase, { id: purchase.id });
    } catch (error) {
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

/**
 * Replies that are lost or late on their way to this system's gateways, as the control room or a chaos run orders.
 *
 * What it shows: an answer that does not come is no refusal. The call turns into a 202, and a look-up finds what was
 * decided. Late ones come out of their order, each by its own time.
 * Costs nothing while no fault is ordered: a request is then handed on as it is.
 */
import type { FaultStore } from "@plateau/domain";
import { QueueError, type Requester, type Topic } from "queue-core";

/** The same requester, behind a way on which replies get lost or lag. */
export function behindReplyFaults(requester: Requester, faults: FaultStore): Requester {
  let sent = 0;
  return {
    get address() {
      return requester.address;
    },
    statistics: () => requester.statistics(),
    stop: () => requester.stop(),
    send<T, R>(topic: Topic<T>, value: T, options: Parameters<Requester["send"]>[2]) {
      const fault = faults.active("replies");
      const request = requester.send<T, R>(topic, value, options);
      if (fault === undefined) return request;
      const { loseEvery, delayMs } = fault.order;
      const isLost = loseEvery > 0 && ++sent % loseEvery === 0;
      if (!isLost && delayMs === 0) return request;
      faults.hit("replies");
      const reply: Promise<R> = isLost ? lost(options.timeoutMs) : late(request.reply, Math.random() * delayMs);
      // As with the requester's own: who looks at one of the two promises only is not brought down by the other.
      reply.catch(() => undefined);
      return { published: request.published, reply };
    },
  };
}

function lost(timeoutMs: number): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new QueueError("REPLY_TIMEOUT")), timeoutMs).unref();
  });
}

async function late<R>(reply: Promise<R>, byMs: number): Promise<R> {
  const value = await reply;
  await new Promise((resolve) => setTimeout(resolve, byMs).unref());
  return value;
}

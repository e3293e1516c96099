/**
 * The last step: the purchase goes into the queue with the address for its reply.
 *
 * What can go wrong: a publish that timed out may have been stored. Only the outcome `not_stored` is a refusal;
 * anything else counts as published and ends by its result. No message id is given: a retry that was recognised as a
 * duplicate would get no reply, while the stock stage answers a known purchase by its result.
 */
import { type PurchaseRequest, purchaseRequests, type RequestMessage, type StockReply } from "@plateau/domain";
import { type PublishReceipt, QueueError } from "queue-core";
import type { Refusal } from "../edge/problem.ts";
import { type Attempt, set } from "./attempt.ts";
import { retryWhenRoom } from "./steps.ts";

/** Never throws; how it goes shows in the pending purchase. */
export function publishPurchase(attempt: Attempt): void {
  const { gateway } = attempt;
  const { pending: all, backlog, log, requester } = gateway;
  const pending = set(attempt.pending, "pending");
  pending.sent = true;
  const sentAtMs = performance.now();
  let durableAtMs: number | undefined;
  const { published, reply } = requester.send<RequestMessage, StockReply>(purchaseRequests, requestOf(attempt), {
    timeoutMs: gateway.timings.decideWithinMs + gateway.timings.replyGraceMs,
    ...(gateway.asked === undefined ? {} : { claim: gateway.asked.claimOf(pending.terms) }),
  });
  const admitted = (): void => {
    gateway.meter.admitted(attempt.saleId, gateway.queue.now());
    all.published(pending, backlog.begun);
  };
  const stored = ({ duplicate }: PublishReceipt) => {
    if (duplicate) return gateway.inFlight.yield(pending);
    durableAtMs = gateway.queue.now();
    gateway.meter.enqueued(performance.now() - sentAtMs);
    admitted();
  };
  published.then(stored, (error: unknown) => {
    const refusal = refusalOfPublish(error, backlog.etaMs(1));
    if (refusal === undefined) {
      log.warn({ err: error, purchaseId: pending.terms.id }, "a publish may or may not have been stored");
      gateway.inFlight.perhapsPublished(pending);
      return admitted();
    }
    gateway.meter.refused(refusal.code, attempt.saleId, gateway.queue.now());
    all.refuse(pending, refusal);
  });
  reply.then(
    (answer) => {
      if (answer.type === "result") {
        // The decision's own time; where its reply overtook the receipt, it did not wait at all.
        gateway.meter.waited(Math.max(0, answer.result.decidedAtMs - (durableAtMs ?? answer.result.decidedAtMs)));
        all.end(pending, answer.result);
      } else
        log.error({ answer: answer.type, purchaseId: pending.terms.id }, "a purchase was answered by another reply");
    },
    // A reply that never came is looked up after the deadline; a publish that failed was seen to above.
    () => undefined,
  );
}

function requestOf(attempt: Attempt): PurchaseRequest {
  const { id, saleId, userId, quantity, fingerprint, deadlineMs } = set(attempt.pending, "pending").terms;
  const session = set(attempt.session, "session");
  const { decisionCostMs } = set(attempt.sale, "sale").stock.terms;
  const deviceId = session.deviceId ?? deviceOf(attempt);
  return {
    type: "purchase",
    purchaseId: id,
    saleId,
    userId,
    quantity,
    fingerprint,
    ...(deviceId === undefined ? {} : { deviceId }),
    ...(session.accountsOnDevice === undefined ? {} : { accountsOnDevice: session.accountsOnDevice }),
    address: attempt.request.ip,
    requestedAtMs: attempt.arrivedAtMs,
    decideByMs: deadlineMs,
    ...(decisionCostMs === 0 ? {} : { decisionCostMs }),
  };
}

/** For sessions that were not opened on a device, such as a load test's. */
function deviceOf({ request }: Attempt): string | undefined {
  const header = request.headers["device-id"];
  return typeof header === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(header) ? header : undefined;
}

function refusalOfPublish(error: unknown, etaMs: number | null): Refusal | undefined {
  if (!(error instanceof QueueError) || error.outcome !== "not_stored") return undefined;
  if (error.code === "OVERLOADED")
    return { code: "overloaded", retryAfterMs: error.retryAfterMs ?? retryWhenRoom(etaMs) };
  return { code: "unavailable", detail: "The queue takes no requests", retryAfterMs: 2_000 };
}

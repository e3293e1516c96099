/**
 * The admission steps, in order: what a purchase passes before it is published.
 *
 * What can go wrong: a winner who retries is refused (so the known result comes before every refusal); two tries with
 * one key are both published (so the first registers itself before it waits for anything); a refusal that costs as
 * much as an admission is no protection (so from the sale window on no step waits once a sale is warm).
 */
import {
  fingerprintOf,
  type PurchaseId,
  type PurchaseResult,
  purchaseIdOf,
  randomToken,
  type SaleId,
} from "@plateau/domain";
import { keyReused } from "../edge/problem.ts";
import type { PendingPurchase } from "../purchases/pending-purchases.ts";
import type { SessionGuard } from "../session/session-guard.ts";
import type { AdmissionTokens, TokenAnswer } from "./admission-tokens.ts";
import { type Attempt, refuse, type Step, set, userOf, type Verdict } from "./attempt.ts";

export function admissionSteps(parts: { guard: SessionGuard; tokens: AdmissionTokens }): readonly Step[] {
  return [
    signedIn(parts.guard),
    knownResult,
    saleWindow,
    soldOutHint,
    userLimit,
    addressLimit,
    admissionToken(parts.tokens),
    backlogRoom,
  ];
}

/** 401 unauthenticated, one body for every cause. */
const signedIn =
  (guard: SessionGuard): Step =>
  (attempt) => {
    const found = guard.find(attempt.request);
    if (!(found instanceof Promise)) return setSession(attempt, found);
    return found.then((session) => setSession(attempt, session));
  };

function setSession(attempt: Attempt, session: Attempt["session"]): Verdict | undefined {
  attempt.session = session;
  return session === undefined ? refuse({ code: "unauthenticated" }) : undefined;
}

/** The same key: the same purchase. 422 key-reused where the body is another. */
const knownResult: Step = (attempt) => {
  const key = attempt.request.headers["idempotency-key"];
  if (key === undefined) {
    begin(attempt, idOf(attempt, randomToken())); // Nobody can have sent it before.
    return undefined;
  }
  if (typeof key !== "string" || !/^[\x20-\x7e]{1,255}$/.test(key)) {
    return refuse({ code: "invalid-request", detail: "Idempotency-Key: 1 to 255 visible ASCII characters" });
  }
  return knownUnder(attempt, key);
};

async function knownUnder(attempt: Attempt, key: string): Promise<Verdict | undefined> {
  const { pending: all, resolver, inFlight } = attempt.gateway;
  const id = idOf(attempt, key);
  for (let earlier = all.get(id); earlier !== undefined; earlier = all.get(id)) {
    if (earlier.terms.fingerprint === attempt.fingerprint) return { kind: "join", pending: earlier };
    // A key is bound by being published; whether that other body will be is not known yet.
    if (earlier.stage !== "admitting") return refuse(keyReused);
    await earlier.reaches(["published", "refused", "ended"], attempt.gateway.timings.waitMaxMs);
    if (earlier.stage === "admitting") return refuse({ code: "overloaded", retryAfterMs: 1_000 });
  }
  const pending = begin(attempt, id);
  const [asked, result] = await Promise.all([inFlight.entryOf(pending.terms), resolver.lookUp(attempt.saleId, id)]);
  if (result !== undefined) return knownAs(attempt, result);
  if (asked === undefined) return undefined;
  if (asked.terms.fingerprint !== attempt.fingerprint) return refuse(keyReused);
  inFlight.join(pending, asked);
  return { kind: "join", pending };
}

function knownAs(attempt: Attempt, result: PurchaseResult): Verdict {
  attempt.gateway.pending.end(set(attempt.pending, "pending"), result);
  return isReused(attempt, result) ? refuse(keyReused) : { kind: "ended", result };
}

/** The result is of another body sent with this key; where only a `resolve` ever came nobody knows the body. */
export const isReused = (attempt: Attempt, { fingerprint }: PurchaseResult): boolean =>
  fingerprint !== undefined && fingerprint !== attempt.fingerprint;

function idOf(attempt: Attempt, idempotencyKey: string): PurchaseId {
  return purchaseIdOf(attempt.gateway.purchaseKey, {
    userId: userOf(attempt),
    saleId: attempt.saleId,
    idempotencyKey,
  });
}

function begin(attempt: Attempt, id: PurchaseId): PendingPurchase {
  attempt.pending = attempt.gateway.pending.begin({
    id,
    saleId: attempt.saleId as SaleId,
    userId: userOf(attempt),
    quantity: attempt.quantity,
    fingerprint: fingerprintOf(attempt),
    deadlineMs: attempt.arrivedAtMs + attempt.gateway.timings.decideWithinMs,
  });
  return attempt.pending;
}

/** 404 for a sale that nobody opened, 409 sale-not-open outside its time. */
const saleWindow: Step = (attempt) => {
  const { board, timings } = attempt.gateway;
  const live = board.read(attempt.saleId, timings.hintMaxAgeMs);
  if (!(live instanceof Promise)) return checkWindow(attempt, live);
  return live.then((sale) => checkWindow(attempt, sale));
};

function checkWindow(attempt: Attempt, live: Attempt["sale"]): Verdict | undefined {
  if (live === undefined) return refuse({ code: "not-found", detail: "No such sale" });
  attempt.sale = live;
  const { startsAtMs, endsAtMs } = live.stock.terms;
  const nowMs = attempt.arrivedAtMs;
  if (!live.stock.closed && startsAtMs <= nowMs && nowMs < endsAtMs) return undefined;
  return refuse({
    code: "sale-not-open",
    detail: nowMs < startsAtMs ? "It has not begun" : "It is over",
    members: { startsAt: new Date(startsAtMs).toISOString(), endsAt: new Date(endsAtMs).toISOString() },
  });
}

/** 409 sold-out by a fresh hint, which names the commit it is as of. */
const soldOutHint: Step = (attempt) => {
  const { stock, readAtMs } = set(attempt.sale, "sale");
  if (stock.available > 0) return undefined;
  if (attempt.gateway.queue.now() - readAtMs >= attempt.gateway.timings.hintMaxAgeMs) return undefined;
  const { position, atMs } = stock.asOf;
  return refuse({ code: "sold-out", members: { asOf: { position, at: new Date(atMs).toISOString() } } }, position);
};

/** 429 throttled, limit `user`. */
const userLimit: Step = (attempt) =>
  throttledBy("user", attempt.gateway.limits.takeUser(userOf(attempt), attempt.arrivedAtMs));

/** 429 throttled, limit `address`. */
const addressLimit: Step = (attempt) =>
  throttledBy("address", attempt.gateway.limits.takeAddress(attempt.request.ip, attempt.arrivedAtMs));

/** 429 throttled, limit `admission`: the token bucket (令牌桶) that all users share. */
const admissionToken =
  (tokens: AdmissionTokens): Step =>
  () => {
    const taken = tokens.take();
    return taken instanceof Promise ? taken.then(unlessTaken) : unlessTaken(taken);
  };

const unlessTaken = (taken: TokenAnswer) => (taken.ok ? undefined : throttledBy("admission", taken.retryAfterMs));

/** 503 overloaded: more undecided requests than the system is allowed to owe. */
const backlogRoom: Step = ({ gateway }) => {
  const { backlogMax } = gateway.knobs.get();
  const backlog = Math.max(gateway.pending.size - 1, gateway.backlog.lagMessages);
  if (backlog < backlogMax) return undefined;
  return refuse({ code: "overloaded", retryAfterMs: retryWhenRoom(gateway.backlog.etaMs(backlog - backlogMax + 1)) });
};

const throttledBy = (limit: "user" | "address" | "admission", retryAfterMs: number): Verdict | undefined =>
  retryAfterMs === 0 ? undefined : refuse({ code: "throttled", retryAfterMs, members: { limit } });

/** Between 1 and 30 s, whatever the estimate. */
export const retryWhenRoom = (etaMs: number | null): number => Math.min(30_000, Math.max(1_000, etaMs ?? 2_000));

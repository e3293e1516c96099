/**
 * How often a user tried, and for how long trying too often blocks: one small entry a user.
 *
 * What can go wrong: a list of tries would grow with whoever hammers most. Two counters stand for it instead, of
 * this minute and of the one before, the latter weighed by how much of it the last 60 s still cover (the sliding
 * window counter known from HTTP rate limiters). It is exact for a user without tries in the minute before, and
 * otherwise off by no more than an uneven spread inside that minute makes it.
 */

export const velocityWindowMs = 60_000;
/** Refusals for velocity in one window after which the user is blocked. */
export const refusalsUntilBlock = 3;
export const blockMs = 60_000;

/** The entry `user:<userId>` of the risk stage. */
export interface RiskUser {
  /** Start of the minute that is counted, a multiple of 60,000; engine time. */
  readonly windowStartMs: number;
  /** New requests in this minute, refused ones included. */
  readonly tries: number;
  readonly triesBefore: number;
  /** Refusals for velocity in this minute. */
  readonly refusals: number;
  /** 0: not blocked. */
  readonly blockedUntilMs: number;
}

/** After this the entry tells nothing any more. */
export const riskUserExpiresAfterMs = 2 * velocityWindowMs;

export const isBlocked = (user: RiskUser | undefined, nowMs: number): boolean =>
  user !== undefined && nowMs < user.blockedUntilMs;

/** Counts one try; `tooOften` when it is one too many, which the third time in a window also blocks. */
export function countTry(
  user: RiskUser | undefined,
  nowMs: number,
  triesPerWindow: number,
): { readonly user: RiskUser; readonly tooOften: boolean } {
  const { windowStartMs, tries, triesBefore, refusals } = windowAt(user, nowMs);
  const shareOfBefore = 1 - (nowMs - windowStartMs) / velocityWindowMs;
  const counted = tries + 1;
  const tooOften = counted + triesBefore * shareOfBefore > triesPerWindow;
  const refused = refusals + (tooOften ? 1 : 0);
  const blockedUntilMs = tooOften && refused >= refusalsUntilBlock ? nowMs + blockMs : 0;
  return { user: { windowStartMs, tries: counted, triesBefore, refusals: refused, blockedUntilMs }, tooOften };
}

function windowAt(user: RiskUser | undefined, nowMs: number): Omit<RiskUser, "blockedUntilMs"> {
  const windowStartMs = nowMs - (nowMs % velocityWindowMs);
  if (user?.windowStartMs === windowStartMs) return user;
  const isNext = user !== undefined && user.windowStartMs === windowStartMs - velocityWindowMs;
  return { windowStartMs, tries: 0, triesBefore: isNext ? user.tries : 0, refusals: 0 };
}

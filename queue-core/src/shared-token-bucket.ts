/**
 * One token bucket (令牌桶) shared by many takers, in any number of processes.
 *
 *   take ──► tokens held here ──few left──► claim leases: ONE commit that expects each of them to be absent
 *
 * Which tokens exist, and when each may be used, follows from the clock alone (token-leases.ts). Takers only have to
 * agree who uses which: a lease belongs to whoever filed its number first. Nothing but commits with expectations is
 * asked of the engine.
 *
 * Contracts:
 * - `take` never waits and asks nobody. It is refused when this taker holds too little; `takeClaimed` only when the
 *   bucket does.
 * - Over any interval of T ms all takers together take at most rate × T / 1000 + burst, by engine time. Where the
 *   takers' clocks differ by D ms, rate × D / 1000 more.
 * - `configure` counts for all takers; the last one counts. The new bucket starts empty. Across the change each rate
 *   keeps to its own bound for the time in which it was in force.
 * - Leases are claimed ahead in the background while there is demand: about twice what was asked for since the last
 *   claim, at most half of what is free at a time, so that others find some too. Ten seconds after the last `take`
 *   that ends; what an idle taker still holds then runs out within burst / rate seconds.
 * - `stop` leaves no timer; nothing is taken afterwards.
 *
 * What can go wrong:
 * - A taker dies with leases in hand: their tokens are lost, which only errs on the safe side.
 * - Two takers claim the same lease: one commit is refused whole (CONFLICT); it looks again at what is free.
 * - A claim takes longer than a lease lives: choose a burst that is well above the rate times a commit's duration.
 * - The engine refuses commits: takers run dry. A limit that cannot be asked for is kept, not dropped.
 * - Filed numbers would pile up: they expire with their lease.
 */
import { backoffMs } from "./backoff.ts";
import type { Engine } from "./engine.ts";
import { QueueError } from "./errors.ts";
import { HeldTokens } from "./held-tokens.ts";
import { checkName, tokenLeasesNamespace, tokensNamespace } from "./namespaces.ts";
import { checkTokens } from "./number-checks.ts";
import type { TokenBucket } from "./queue.ts";
import { guardedReport, hasCode, isEngineEnd } from "./queue-context.ts";
import { systemTimers, type Timers } from "./timers.ts";
import {
  checkTokenRate,
  leasesAt,
  leaseTokens,
  lifetimeMs,
  periodMs,
  type TokenLease,
  type TokenRate,
  type TokenSchedule,
} from "./token-leases.ts";

/** Leases are claimed at most so long before they can be used. */
const longestAheadMs = 100;
/** After so long without a take nothing is claimed any more. */
const idleAfterMs = 10_000;
/** A filed number outlives its lease, lest a slow clock should find it free again. */
const filedLongerMs = 1_000;
const shortestWaitMs = 10;
const longestRetryMs = 60_000;
const backoffRange = { firstMs: 50, longestMs: 5_000 };
/** Each finds out about a demand that the one before could not know. */
const claimsAwaitedMax = 4;
const settingsKey = "settings";
const filed = Buffer.alloc(0);

/** What a taker of a shared bucket is made of; the rate holds for all takers together. */
export interface SharedTokenBucketOptions extends TokenRate {
  readonly engine: Engine;
  /** Takers with the same name share. */
  readonly name: string;
  /** Default: the system's timers. */
  readonly timers?: Timers;
  /** In [0, 1); default Math.random. */
  readonly random?: () => number;
  /** Hears of faults of the background claims, which go on. Default: a process warning. */
  readonly onBackgroundError?: (where: string, error: unknown) => void;
}

/** One taker of a bucket that many share. Made by `createSharedTokenBucket`. */
export interface SharedTokenBucket extends Pick<TokenBucket, "take"> {
  /**
   * As `take`, but where this taker's hands are empty and the bucket may not be, waits for a claim or a few. Refused at
   * once where the last claim found nothing more that was free.
   */
  takeClaimed(count?: number): Promise<ReturnType<TokenBucket["take"]>>;
  /** Resolves when the rate is in force for all takers. Rejects with INVALID_ARGUMENT, or what the engine says. */
  configure(rate: TokenRate): Promise<void>;
  /** Counted in tokens. */
  statistics(): { readonly heldTokens: number; readonly taken: number; readonly refused: number };
  stop(): Promise<void>;
}

/** Brings the rate into force as `configure` does; resolves when the bucket can be taken from. */
export async function createSharedTokenBucket(options: SharedTokenBucketOptions): Promise<SharedTokenBucket> {
  checkName("bucket", options.name);
  const taker = new Taker(options);
  await taker.configure(options);
  await taker.start();
  return taker;
}

const ignore = (): void => undefined;

class Taker implements SharedTokenBucket {
  readonly #engine: Engine;
  readonly #timers: Timers;
  readonly #random: () => number;
  readonly #report: (where: string, error: unknown) => void;
  readonly #name: string;
  readonly #namespace: string;
  #mode: "open" | "stopped" = "open";
  #schedule: TokenSchedule = { epoch: 0, startedAtMs: 0, ratePerSecond: 0, burst: 2 };
  readonly #held = new HeldTokens();
  /** Asked for since the last claim began. */
  #asked = 0;
  #askedAtMs: number;
  /** Claim again when less than this is held. */
  #lowTokens = 1;
  #claiming: Promise<void> | undefined;
  #notBeforeMs = 0;
  #failures = 0;
  /** The last claim left something for others, or there was none yet. */
  #mayHaveMore = true;
  #plannedForMs = Number.POSITIVE_INFINITY;
  #cancelTimer = ignore;
  #unsubscribe = ignore;
  #taken = 0;
  #refused = 0;

  constructor(options: SharedTokenBucketOptions) {
    this.#engine = options.engine;
    this.#timers = options.timers ?? systemTimers;
    this.#random = options.random ?? Math.random;
    this.#report = guardedReport(options.onBackgroundError);
    this.#name = options.name;
    this.#namespace = tokensNamespace(options.name);
    this.#askedAtMs = options.engine.now();
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.#engine.onStateChange(this.#namespace, () => {
      this.#refresh().catch((error: unknown) => this.#tell(error));
    });
    this.#claimSoon();
    await this.#claiming;
  }

  take(count = 1): { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number } {
    checkTokens(count);
    const nowMs = this.#engine.now();
    this.#asked += count;
    this.#askedAtMs = nowMs;
    const isGiven = this.#held.use(count, nowMs);
    if (this.#held.total < this.#lowTokens) this.#claimSoon();
    if (isGiven) {
      this.#taken += count;
      return { ok: true };
    }
    this.#refused += count;
    return { ok: false, retryAfterMs: this.#retryAfterMs(nowMs, count) };
  }

  async takeClaimed(count = 1): Promise<ReturnType<TokenBucket["take"]>> {
    let answer = this.take(count);
    for (let claims = 0; !answer.ok && this.#mayHaveMore && claims < claimsAwaitedMax; claims++) {
      this.#notBeforeMs = 0;
      this.#claimSoon();
      await this.#claiming;
      answer = this.take(count);
    }
    return answer;
  }

  async configure({ ratePerSecond, burst }: TokenRate): Promise<void> {
    checkTokenRate({ ratePerSecond, burst });
    if (this.#mode === "stopped") throw new QueueError("CLOSED", "the token bucket is stopped");
    for (;;) {
      const current = await this.#refresh();
      if (current.epoch > 0 && current.ratePerSecond === ratePerSecond && current.burst === burst) return;
      const nowMs = this.#engine.now();
      // The very first bucket starts full: no other tokens can be in use beside it.
      const startedAtMs =
        current.epoch > 0 || ratePerSecond === 0 ? nowMs : nowMs - lifetimeMs({ ratePerSecond, burst });
      const next: TokenSchedule = { epoch: current.epoch + 1, startedAtMs, ratePerSecond, burst };
      try {
        await this.#replace(current, next);
        this.#adopt(next);
        return;
      } catch (error) {
        if (!hasCode(error, "CONFLICT")) throw error;
        // Somebody else was faster. Once this commit is visible so is that one.
        await this.#engine.commit({});
      }
    }
  }

  statistics() {
    this.#held.expire(this.#engine.now());
    return { heldTokens: this.#held.total, taken: this.#taken, refused: this.#refused };
  }

  async stop(): Promise<void> {
    this.#mode = "stopped";
    this.#held.clear();
    this.#unsubscribe();
    this.#cancelTimer();
    await this.#claiming;
  }

  // --- the rate in force -----------------------------------------------------------------------------------

  async #refresh(): Promise<TokenSchedule> {
    const [stored] = await this.#engine.readState(this.#namespace, [settingsKey]);
    if (stored !== undefined) this.#adopt(JSON.parse(stored.toString("utf8")) as TokenSchedule);
    return this.#schedule;
  }

  /** Tokens of a rate that is no longer in force are not used. */
  #adopt(schedule: TokenSchedule): void {
    if (schedule.epoch <= this.#schedule.epoch) return;
    this.#schedule = schedule;
    this.#held.clear();
    this.#lowTokens = leaseTokens(schedule);
    this.#notBeforeMs = 0;
    this.#mayHaveMore = true;
  }

  async #replace(current: TokenSchedule, next: TokenSchedule): Promise<void> {
    const namespace = this.#namespace;
    const before = epochKey(current.epoch);
    await this.#engine.commit({
      expect: [
        current.epoch === 0 ? { namespace, key: settingsKey, is: "absent" } : { namespace, key: before, is: "present" },
      ],
      put: [
        { namespace, key: before, value: null },
        { namespace, key: epochKey(next.epoch), value: filed },
        { namespace, key: settingsKey, value: Buffer.from(JSON.stringify(next)) },
      ],
    });
  }

  #lastingTokens(): number {
    return this.#held.lasting(this.#engine.now() + this.#aheadMs() / 2);
  }

  #aheadMs(): number {
    return Math.min(longestAheadMs, lifetimeMs(this.#schedule));
  }

  #retryAfterMs(nowMs: number, count: number): number {
    const { ratePerSecond } = this.#schedule;
    if (ratePerSecond === 0 || this.#mode === "stopped") return longestRetryMs;
    const usableAtMs = this.#held.usableAtMs(count);
    if (usableAtMs !== undefined) return Math.max(1, Math.ceil(usableAtMs - nowMs));
    const toComeMs = ((count - this.#held.total) * 1_000) / ratePerSecond;
    return Math.ceil(Math.min(longestRetryMs, Math.max(shortestWaitMs, toComeMs)));
  }

  // --- claims ----------------------------------------------------------------------------------------------

  #claimSoon(): void {
    if (this.#claiming !== undefined || this.#mode === "stopped" || this.#schedule.ratePerSecond === 0) return;
    const waitMs = this.#notBeforeMs - this.#engine.now();
    if (waitMs > 0) {
      this.#plan(waitMs);
      return;
    }
    this.#cancelTimer();
    this.#plannedForMs = Number.POSITIVE_INFINITY;
    this.#claiming = this.#claim().finally(() => {
      this.#claiming = undefined;
    });
  }

  /** Claims for the demand that there was since the last time, and plans the next time. Never rejects. */
  async #claim(): Promise<void> {
    const lease = leaseTokens(this.#schedule);
    const wanted = Math.min(this.#schedule.burst, Math.max(lease, 2 * this.#asked));
    const purpose = this.#asked === 0 ? "reserve" : "demand";
    this.#asked = 0;
    this.#lowTokens = wanted / 2;
    try {
      let isFree = true;
      while (this.#mode === "open" && isFree && this.#lastingTokens() < wanted) {
        isFree = await this.#claimSome(Math.ceil((wanted - this.#lastingTokens()) / lease), purpose);
      }
      this.#failures = 0;
      this.#mayHaveMore = isFree;
      // What is free next comes with the next period.
      if (!isFree) this.#again(Math.min(periodMs(this.#schedule), longestAheadMs / 2));
      else this.#againBeforeExpiry();
    } catch (error) {
      this.#mayHaveMore = false;
      if (isEngineEnd(error)) return;
      this.#tell(error);
      this.#again(backoffMs(++this.#failures, backoffRange, this.#random));
    }
  }

  /** Up to so many leases by one commit; false when none is free. */
  async #claimSome(mostLeases: number, purpose: "reserve" | "demand"): Promise<boolean> {
    const schedule = this.#schedule;
    const leases = tokenLeasesNamespace(this.#name, schedule.epoch);
    const free = await this.#freeLeases(schedule);
    const chosen = this.#choose(free, Math.min(mostLeases, Math.ceil(free.length / 2)), purpose);
    if (chosen.length === 0 || schedule !== this.#schedule) return schedule !== this.#schedule;
    const keys = chosen.map(({ number }) => leaseKey(number));
    try {
      await this.#engine.commit({
        expect: [
          { namespace: this.#namespace, key: epochKey(schedule.epoch), is: "present" },
          ...keys.map((key) => ({ namespace: leases, key, is: "absent" as const })),
        ],
        put: chosen.map(({ number, untilMs }) => ({
          namespace: leases,
          key: leaseKey(number),
          value: filed,
          expiresAtMs: untilMs + filedLongerMs,
        })),
      });
    } catch (error) {
      if (!hasCode(error, "CONFLICT")) throw error;
      // Another taker was faster, or the rate was changed. Once this commit is visible so is that one.
      await this.#engine.commit({});
      await this.#refresh();
      return true;
    }
    if (schedule !== this.#schedule || this.#mode === "stopped") return true;
    this.#held.add(chosen, leaseTokens(schedule));
    return true;
  }

  async #freeLeases(schedule: TokenSchedule): Promise<readonly TokenLease[]> {
    const all = leasesAt(schedule, this.#engine.now(), this.#aheadMs());
    const [first, last] = [all[0], all.at(-1)];
    if (first === undefined || last === undefined) return [];
    const taken = await this.#engine.scanState(tokenLeasesNamespace(this.#name, schedule.epoch), {
      ...(first.number === 0 ? {} : { after: leaseKey(first.number - 1) }),
      before: leaseKey(last.number + 1),
      limit: all.length,
    });
    const keys = new Set(taken.map(({ key }) => key));
    return all.filter(({ number }) => !keys.has(leaseKey(number)));
  }

  /**
   * What can be used now before what comes later; beyond that at random, so that takers which claim at once seldom
   * meet, but for a reserve what lasts longest.
   */
  #choose(free: readonly TokenLease[], count: number, purpose: "reserve" | "demand"): TokenLease[] {
    const nowMs = this.#engine.now();
    const ranked = free.map((lease) => {
      const isUsable = lease.fromMs <= nowMs;
      return { lease, isUsable, rank: purpose === "reserve" ? -lease.untilMs : this.#random() };
    });
    return ranked
      .sort((a, b) => Number(b.isUsable) - Number(a.isUsable) || a.rank - b.rank)
      .slice(0, count)
      .map(({ lease }) => lease);
  }

  /** So that a taker which is seldom asked has a lease in hand when it is. */
  #againBeforeExpiry(): void {
    const { untilMs } = this.#held;
    if (untilMs !== undefined) this.#again(untilMs - this.#engine.now() - this.#aheadMs() / 2);
  }

  #again(waitMs: number): void {
    this.#notBeforeMs = this.#engine.now() + shortestWaitMs;
    this.#plan(Math.max(shortestWaitMs, waitMs));
  }

  /** One timer, for the earliest time that was asked for. */
  #plan(waitMs: number): void {
    const dueMs = this.#engine.now() + waitMs;
    if (this.#mode === "stopped" || this.#isIdle() || this.#plannedForMs <= dueMs) return;
    this.#cancelTimer();
    this.#plannedForMs = dueMs;
    this.#cancelTimer = this.#timers.after(waitMs, () => {
      this.#plannedForMs = Number.POSITIVE_INFINITY;
      this.#notBeforeMs = 0;
      if (!this.#isIdle()) this.#claimSoon();
    });
  }

  #isIdle(): boolean {
    return this.#engine.now() - this.#askedAtMs > idleAfterMs;
  }

  #tell(error: unknown): void {
    if (!isEngineEnd(error)) this.#report(`token bucket ${this.#name}`, error);
  }
}

function epochKey(epoch: number): string {
  return `epoch-${epoch}`;
}

function leaseKey(number: number): string {
  return String(number).padStart(15, "0");
}

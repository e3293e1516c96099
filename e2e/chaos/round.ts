/**
 * One round: a sale of its own, shoppers who buy and settle, one fault at its moment; then everything is healed and
 * drained, and the audit is asked, with all that the shoppers were told.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OpsShoppers, Sale } from "@plateau/domain";
import { Api } from "../driver/api.ts";
import { Buyer, type BuyerEnd, type Intent } from "../driver/buyer.ts";
import { HistoryFile } from "../driver/history-file.ts";
import { type CallCounts, noCalls } from "../driver/shopper.ts";
import type { Fault, Ground } from "./faults/fault.ts";
import { isReady } from "./faults/process-faults.ts";
import type { Moment, Round } from "./schedule.ts";
import type { RoundReport } from "./verdict.ts";

export interface RoundSetting {
  readonly ground: Ground;
  readonly random: () => number;
  /** Where the history goes. */
  readonly folder: string;
  readonly number: number;
}

const shoppersCount = 160;
const stock = 60;
const arrivalsMs = 3_000;
const paymentTimeoutMs = 6_000;
/** The first expiry is so far away when the fault strikes at the edge of the payment's time. */
const edgeMs = 300;
/** After the fault is healed; the longest way is a purchase that expires (30 s), a new one, and its payment's time. */
const drainedWithinMs = 120_000;
const intentShares: readonly (readonly [Intent, number])[] = [
  ["pay", 0.5],
  ["be declined, then pay", 0.15],
  ["cancel", 0.15],
  ["let it expire", 0.2],
];

export async function playRound({ fault, moment }: Round, setting: RoundSetting): Promise<RoundReport> {
  const { ground, folder, number } = setting;
  const api = new Api(ground.system, ground.signal);
  const sale = await api.ops(Sale, "sales", { title: `Chaos ${number}`, stock, paymentTimeoutMs });
  const history = new HistoryFile(join(folder, `history-${number}.jsonl`));
  const { shoppers } = await api.ops(OpsShoppers, "shoppers", { count: shoppersCount });
  const crowd = new Crowd(setting, sale.id, history, shoppers);
  try {
    const struck = await strikeAt(moment, fault, ground, crowd);
    const undone = await crowd.end(drainedWithinMs);
    while (!(await isReady(ground))) await sleep(100, undefined, { signal: ground.signal });
    const audit = await api.audit(sale.id, history.text());
    return {
      fault: fault.name,
      moment,
      evidence: struck.evidence(),
      callsHit: struck.callsHit,
      gotOn: crowd.gotOn - struck.gotOn,
      audit: audit.verdict,
      complaints: [
        ...crowd.counts.unexpected.slice(0, 3).map((answer) => `unexpected answer: ${answer}`),
        ...(undone === 0 ? [] : [`${undone} of ${shoppersCount} shoppers had no final answer`]),
        ...audit.invariants
          .filter(({ verdict }) => verdict === "fail")
          .map(({ id, title, evidence }) => `${id}. ${title}: ${evidence}`),
      ],
      doubts: audit.invariants
        .filter(({ verdict }) => verdict === "unknown")
        .map(({ id, title, evidence }) => `${id}. ${title}: ${evidence}`),
    };
  } finally {
    await crowd.leave();
    history.close();
  }
}

interface Strike {
  /** Asked at the end: what went over a dead connection later is a hit too. */
  readonly evidence: () => string | undefined;
  readonly callsHit: number;
  readonly gotOn: number;
}

/** Resolves when the fault is healed. */
async function strikeAt(moment: Moment, fault: Fault, ground: Ground, crowd: Crowd): Promise<Strike> {
  if (moment !== "idle") {
    crowd.enter();
    await crowd.reaches(moment);
  }
  const { gotOn } = crowd;
  const { inFlight, begun } = crowd.counts;
  const struck = await fault.strike(ground);
  await sleep(fault.lengthMs, undefined, { signal: ground.signal });
  await struck.heal();
  const callsHit = inFlight + crowd.counts.begun - begun;
  if (moment === "idle") crowd.enter();
  return { evidence: () => struck.evidence(), callsHit, gotOn };
}

class Crowd {
  readonly counts: CallCounts = noCalls();
  readonly #setting: RoundSetting;
  readonly #stopping = new AbortController();
  readonly #buyers: readonly { readonly buyer: Buyer; readonly comesAfterMs: number }[];
  readonly #half = Promise.withResolvers<void>();
  readonly #almostSold = Promise.withResolvers<void>();
  readonly #firstExpiry = Promise.withResolvers<void>();
  #shopping: Promise<readonly (BuyerEnd | undefined)[]> | undefined;
  #entered = 0;
  #wins = 0;
  /** Wins and ends of orders. */
  gotOn = 0;

  constructor(
    setting: RoundSetting,
    saleId: string,
    history: HistoryFile,
    tickets: readonly { userId: string; token: string }[],
  ) {
    this.#setting = setting;
    const { ground, random } = setting;
    const signal = AbortSignal.any([ground.signal, this.#stopping.signal]);
    this.#buyers = tickets.map((ticket, index) => {
      const options = { url: ground.system.url, saleId, ticket, key: `key-${index}`, history, random, signal };
      const intent = drawn(intentShares, random());
      return {
        buyer: new Buyer(options, { intent, counts: this.counts, onWon: () => this.#won() }),
        comesAfterMs: random() * arrivalsMs,
      };
    });
  }

  enter(): void {
    this.#shopping = Promise.all(
      this.#buyers.map(async ({ buyer, comesAfterMs }) => {
        await sleep(comesAfterMs, undefined, { signal: this.#setting.ground.signal });
        if (++this.#entered === Math.floor(shoppersCount / 2)) this.#half.resolve();
        const end = await buyer.buy().catch((error: unknown) => {
          if (this.#stopping.signal.aborted) return undefined;
          throw error;
        });
        if (end?.order !== undefined) this.gotOn++;
        return end;
      }),
    );
    // Heard of in `end`.
    this.#shopping.catch(() => undefined);
  }

  /** Also resolves when everybody has gone: the moment did not come. */
  async reaches(moment: Exclude<Moment, "idle">): Promise<void> {
    const come = { peak: this.#half, "sold-out edge": this.#almostSold, "payment-timeout edge": this.#firstExpiry };
    await Promise.race([come[moment].promise, this.#shopping]);
  }

  /** Resolves with how many were still waiting for an end when the time was up. */
  async end(withinMs: number): Promise<number> {
    const late = setTimeout(() => this.#stopping.abort(), withinMs);
    try {
      const ends = await (this.#shopping ?? []);
      return ends.filter((end) => end === undefined).length;
    } finally {
      clearTimeout(late);
    }
  }

  /** Whoever is still there goes. */
  async leave(): Promise<void> {
    this.#stopping.abort();
    await this.#shopping?.catch(() => undefined);
  }

  #won(): void {
    this.gotOn++;
    this.#wins++;
    if (this.#wins === Math.floor(stock * 0.9)) this.#almostSold.resolve();
    if (this.#wins === 1) setTimeout(() => this.#firstExpiry.resolve(), paymentTimeoutMs - edgeMs);
  }
}

function drawn<T>(shares: readonly (readonly [T, number])[], at: number): T {
  let sum = 0;
  for (const [value, share] of shares) {
    sum += share;
    if (at < sum) return value;
  }
  return (shares.at(-1) as readonly [T, number])[0];
}

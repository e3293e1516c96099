/**
 * The crash run: 2,000 shoppers want 100 units over HTTP, and between the 10th and the 90th win the back end is
 * killed (SIGKILL) and started again.
 *
 * What can go wrong with the run itself: the kill comes when nothing is under way, or when all is over; then it has
 * proved nothing. So the run also checks that the kill hit: won before it at least 10 and at most 90, calls in
 * flight, answers lost.
 */
import { mkdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type System, startSystem } from "@plateau/demo";
import { type AuditReport, OpsShoppers, Sale, type SaleStatistics } from "@plateau/domain";
import { Api } from "../driver/api.ts";
import { HistoryFile } from "../driver/history-file.ts";
import { seededRandom } from "../driver/seeded-random.ts";
import { type CallCounts, noCalls, Shopper, type ShopperEnd, type ShopperTicket } from "../driver/shopper.ts";

export const shoppersCount = 2_000;
export const stock = 100;
/** Before the kill: ten decisions a second. The back end that starts again has its own settings: no cost. */
const decisionCostMs = 100;
/**
 * So many come first, over a second. They alone win before the rest is let in, however late the driver hears of it on
 * a busy machine; the rest comes all at once and the kill strikes it at the door and in the queue.
 */
const earlyShoppers = 70;
const killAfterWins = { from: 10, to: 60 };
const killAfterRushMs = { from: 50, to: 500 };
/** Long, so that no reservation expires during the run. */
const paymentTimeoutMs = 3_600_000;

export interface CrashReport {
  readonly sale: Sale;
  readonly ends: readonly ShopperEnd[];
  readonly counts: CallCounts;
  readonly killedAtMs: number;
  readonly heardWinsAtKill: number;
  readonly inFlightAtKill: number;
  readonly statistics: SaleStatistics;
  readonly audit: AuditReport;
  readonly orders: ReadonlyMap<string, number>;
  readonly sms: ReadonlyMap<string, number>;
  /** The idempotency key of each SMS that the provider sent. */
  readonly sentSms: readonly string[];
  readonly historyLines: number;
}

export interface CrashRunOptions {
  readonly seed: number;
  /** Everything of the run lies in here: data, logs, history. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export async function crashRun({ seed, folder, signal, say }: CrashRunOptions): Promise<CrashReport> {
  const random = seededRandom(seed);
  const plan: FaultPlan = {
    killAfterWins: Math.round(between(killAfterWins, random)),
    killAfterRushMs: Math.round(between(killAfterRushMs, random)),
  };
  say(`seed ${seed}: at win ${plan.killAfterWins} everybody rushes in, ${plan.killAfterRushMs} ms later the kill`);
  mkdirSync(folder, { recursive: true });
  const system = await startSystem({
    dataDir: `${folder}/data`,
    storefront: false,
    crowd: false,
    logFile: `${folder}/system.log`,
    logLevel: "warn",
  });
  const history = new HistoryFile(`${folder}/history.jsonl`);
  try {
    return await drive(system, { random, plan, history, signal, say });
  } finally {
    history.close();
    await system.stop();
  }
}

interface FaultPlan {
  readonly killAfterWins: number;
  readonly killAfterRushMs: number;
}

const between = ({ from, to }: { from: number; to: number }, random: () => number): number =>
  from + random() * (to - from);

interface Drive {
  readonly random: () => number;
  readonly plan: FaultPlan;
  readonly history: HistoryFile;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

async function drive(system: System, { random, plan, history, signal, say }: Drive): Promise<CrashReport> {
  const api = new Api(system, signal);
  const { shoppers: tickets } = await api.ops(OpsShoppers, "shoppers", { count: shoppersCount });
  const sale = await api.ops(Sale, "sales", { title: "Crash run", stock, paymentTimeoutMs });
  await api.change({ decisionCostMs });
  const counts = noCalls();
  const door = { url: system.url, saleId: sale.id, history, random, signal };
  const fault = new Fault(system, plan, counts);
  const shop = async (ticket: ShopperTicket, index: number): Promise<ShopperEnd> => {
    const shopper = new Shopper({ ...door, ticket, key: `key-${index}` }, counts);
    if (index < earlyShoppers) await sleep(random() * 1_000, undefined, { signal });
    else await fault.rush;
    const end = await shopper.shop();
    if (end.state === "won") fault.won();
    return end;
  };
  const ends = await Promise.all(tickets.map(shop));
  await fault.over;
  say(`killed with ${fault.heardWins} wins heard and ${fault.inFlight} calls in flight; all ${ends.length} ended`);

  await Promise.all(ends.map((end) => askAgain(end, door, counts)));
  const winners = ends.filter(({ state }) => state === "won");
  const [orders, sms] = [await api.countsOf(winners, "orders"), await api.countsOf(winners, "messages")];
  const audit = await api.audit(sale.id, history.text());
  return {
    sale: await api.get(Sale, `/api/sales/${sale.id}`),
    ends,
    counts,
    killedAtMs: fault.killedAtMs,
    heardWinsAtKill: fault.heardWins,
    inFlightAtKill: fault.inFlight,
    statistics: await api.countedStatistics(sale.id),
    audit,
    orders,
    sms,
    sentSms: await api.sentSms(),
    historyLines: history.lines,
  };
}

/** After everything: the look-up and the repeated call must say what was said before; the audit compares. */
async function askAgain(
  end: ShopperEnd,
  door: Omit<ConstructorParameters<typeof Shopper>[0], "ticket" | "key">,
  counts: CallCounts,
): Promise<void> {
  if (end.purchaseId === undefined) return;
  const shopper = new Shopper({ ...door, ticket: end, key: end.key }, counts);
  await shopper.lookUp(end.purchaseId);
  if (end.state === "won") await shopper.buy();
}

/** At the given win lets everybody in, then kills the back end, once, and starts it again. */
class Fault {
  readonly #system: System;
  readonly #plan: FaultPlan;
  readonly #counts: CallCounts;
  readonly #rush = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();
  #wins = 0;
  heardWins = 0;
  inFlight = 0;
  killedAtMs = 0;

  constructor(system: System, plan: FaultPlan, counts: CallCounts) {
    this.#system = system;
    this.#plan = plan;
    this.#counts = counts;
  }

  /** Resolves when everybody may come in. */
  get rush(): Promise<void> {
    return this.#rush.promise;
  }

  /** Resolves when the back end is up again. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  won(): void {
    this.#wins++;
    if (this.#wins !== this.#plan.killAfterWins) return;
    this.#rush.resolve();
    this.#strike().then(this.#over.resolve, this.#over.reject);
  }

  async #strike(): Promise<void> {
    await sleep(this.#plan.killAfterRushMs);
    this.heardWins = this.#wins;
    this.inFlight = this.#counts.inFlight;
    const killed = this.#system.killBackend();
    this.killedAtMs = Date.now();
    await killed;
    await this.#system.startBackend();
  }
}

/**
 * Gathers the audit's evidence from a running system, without stopping it.
 *
 * The order is what makes it sound (see `Evidence` in the domain): wait for the consumers, note what is settled, wait
 * for the jobs made of that, scan the log for who took part, then read from downstream to upstream: database,
 * providers, state, and last the rest of the log, each topic after those that follow from it.
 */
import {
  admissions,
  type Evidence,
  type HistoryEntry,
  orderIdOf,
  orders,
  paymentRequests,
  purchaseRequests,
  type ReservationId,
  reservations,
  results,
  stockCommands,
} from "@plateau/domain";
import type { JobOffice } from "@plateau/hosting/jobs";
import type { Database } from "@plateau/prisma";
import type { Queue, Topic } from "queue-core";
import { settledOffsets, waitForCatchUp, waitForJobs } from "./catch-up.ts";
import { readDatabase } from "./database-evidence.ts";
import { readProviders } from "./provider-evidence.ts";
import { type KeysOfInterest, readState } from "./state-evidence.ts";
import { ScanBudget, TopicScan } from "./topic-scan.ts";

export interface EvidenceSources {
  readonly queue: Queue;
  readonly db: Database;
  readonly sandboxUrl: string | undefined;
  readonly jobs: JobOffice;
}

export interface GatherOptions {
  /** One sale; all when undefined. */
  readonly saleId: string | undefined;
  readonly history: readonly HistoryEntry[] | undefined;
  /** How long consumers may take to catch up, by the clock of `clock`, ms. */
  readonly untilMs: number;
  readonly clock: () => number;
  /** Messages that may be kept, over all topics. */
  readonly maxMessages: number;
}

export async function gatherEvidence(sources: EvidenceSources, options: GatherOptions): Promise<Evidence> {
  const { queue, db, sandboxUrl } = sources;
  const { saleId, history } = options;
  const lag = await waitForCatchUp(queue, options.untilMs, options.clock);
  const settled = await settledOffsets(queue);
  lag.push(...(await waitForJobs(sources.jobs, options.untilMs, options.clock)));
  const scans = scansOf(queue, saleId, new ScanBudget(options.maxMessages));
  for (const scan of Object.values(scans)) await scan.readOn();

  const database = await readDatabase(db, saleId);
  const sale = saleId === undefined ? undefined : { id: saleId, orderIds: ordersOf(scans) };
  // Whoever took part is known from the log alone: with a part of it unread, a look-up would miss some of them.
  const unread = Object.values(scans).find(({ problem }) => problem !== undefined);
  const unknown = { looked: false, why: `${unread?.topic.name}: ${unread?.problem}` } as const;
  const provider = unread !== undefined && sale !== undefined ? unknown : await readProviders(sandboxUrl, sale);
  const state = unread === undefined ? await readState(queue, keysOf(scans, saleId)) : unknown;
  const nowMs = queue.now();

  const { orders: order, results: result, reservations: reservation, admissions: admission } = scans;
  const downstreamFirst = [
    order,
    result,
    reservation,
    admission,
    scans.commands,
    scans.requests,
    scans.paymentRequests,
  ];
  for (const scan of downstreamFirst) await scan.readOn();

  const settledIn = (topic: string) => settled.get(topic) ?? new Map<number, number>();
  const log: Evidence["log"] = {
    requests: scans.requests.evidence(settledIn(purchaseRequests.name)),
    commands: scans.commands.evidence(settledIn(stockCommands.name)),
    results: scans.results.evidence(settledIn(results.name)),
    reservations: scans.reservations.evidence(settledIn(reservations.name)),
    orders: scans.orders.evidence(settledIn(orders.name)),
    paymentRequests: scans.paymentRequests.evidence(settledIn(paymentRequests.name)),
    admissions: scans.admissions.evidence(settledIn(admissions.name)),
  };
  return { nowMs, log, lag, state, database, provider, ...(history === undefined ? {} : { history }) };
}

function scansOf(queue: Queue, saleId: string | undefined, budget: ScanBudget) {
  const scan = <T extends { readonly saleId: string }>(topic: Topic<T>, keyedBySale: boolean) =>
    new TopicScan<T>(queue, topic, { saleId, keyedBySale, budget });
  return {
    requests: scan(purchaseRequests, false),
    commands: scan(stockCommands, true),
    results: scan(results, true),
    reservations: scan(reservations, false),
    orders: scan(orders, false),
    paymentRequests: scan(paymentRequests, false),
    admissions: scan(admissions, true),
  };
}
type Scans = ReturnType<typeof scansOf>;

/** Everybody who took part: whose entries a look-up must find. */
function keysOf(scans: Scans, saleId: string | undefined): KeysOfInterest {
  const saleIds = new Set<string>(saleId === undefined ? [] : [saleId]);
  const purchaseIds = new Set<string>();
  const buyers = new Set<string>();
  for (const { values } of [scans.requests, scans.results]) {
    for (const { purchaseId } of values) purchaseIds.add(purchaseId);
  }
  for (const command of scans.commands.values) {
    saleIds.add(command.saleId);
    if ("purchaseId" in command) purchaseIds.add(command.purchaseId);
  }
  for (const event of scans.reservations.values) buyers.add(`${event.saleId}:${event.userId}`);
  return { saleIds, purchaseIds, buyers };
}

/** Orders that the sale has or should have. */
function ordersOf(scans: Scans): Set<string> {
  const ids = new Set<string>(scans.orders.values.map(({ orderId }) => orderId));
  for (const { reservationId } of scans.reservations.values) ids.add(orderIdOf(reservationId as ReservationId));
  return ids;
}

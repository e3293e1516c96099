/**
 * What the stock stage says, turned back into the events it told: whoever missed them can be given them again.
 *
 * What can go wrong: a sale's results are forgotten some time after its end; an absent one proves nothing, so nothing
 * is concluded from it.
 */
import {
  groups,
  type PurchaseResult,
  type ReservationEvent,
  type SaleStock,
  type SettlingEvent,
  stockCommands,
  stockKeys,
} from "@plateau/domain";
import { partitionOfKey, type Queue, stateNamespace, type Topic } from "queue-core";
import type { OrderingEvent } from "../order/order-rows.ts";

export type WonResult = PurchaseResult & { readonly reservation: NonNullable<PurchaseResult["reservation"]> };

const readAtOnce = 500;

export class StockTruth {
  readonly #queue: Queue;

  constructor(queue: Queue) {
    this.#queue = queue;
  }

  /** By id; those that stock does not know are missing. */
  async sales(ids: readonly string[]): Promise<ReadonlyMap<string, SaleStock>> {
    const asked = ids.map((id) => ({ saleId: id, id }));
    return this.#readAll<SaleStock>(asked, stockKeys.sale);
  }

  /** By id; those without a reservation, or forgotten, are missing. */
  async reservations(
    asked: readonly { readonly saleId: string; readonly id: string }[],
  ): Promise<ReadonlyMap<string, WonResult>> {
    const results = await this.#readAll<PurchaseResult>(asked, stockKeys.result);
    return new Map([...results].filter((entry): entry is [string, WonResult] => entry[1].reservation !== undefined));
  }

  /** Every reservation of a sale, a page at a time: for the rare case that its sums are not right. */
  async *reservationsOf(saleId: string): AsyncGenerator<readonly WonResult[]> {
    const partition = partitionOfKey(saleId, stockCommands.partitions);
    const namespace = stateNamespace(groups.stock, stockCommands.name, partition);
    // "/" is the character after ".": between the two lie the results of this sale alone.
    const before = `${stockKeys.result(saleId)}/`;
    for (let after = `${stockKeys.result(saleId)}.`; ; ) {
      const page = await this.#queue.engine.scanState(namespace, { after, before, limit: readAtOnce });
      const results = page.map(({ value }) => JSON.parse(value.toString()) as PurchaseResult);
      yield results.filter((result): result is WonResult => result.reservation !== undefined);
      const last = page.at(-1);
      if (last === undefined || page.length < readAtOnce) return;
      after = last.key;
    }
  }

  /** One call for each partition and `readAtOnce` entries, however many sales. */
  async #readAll<V>(
    asked: readonly { readonly saleId: string; readonly id: string }[],
    keyOf: (id: string) => string,
  ): Promise<Map<string, V>> {
    const view = this.#queue.state(groups.stock, stockCommands as Topic<unknown>);
    const byPartition = Map.groupBy(asked, ({ saleId }) => partitionOfKey(saleId, stockCommands.partitions));
    const found = new Map<string, V>();
    for (const together of byPartition.values()) {
      for (let from = 0; from < together.length; from += readAtOnce) {
        const some = together.slice(from, from + readAtOnce);
        const keys = some.map(({ id }) => keyOf(id));
        const values = await view.getMany<V>(some[0]?.saleId ?? "", keys);
        for (const [index, { id }] of some.entries()) {
          const value = values[index];
          if (value !== undefined) found.set(id, value);
        }
      }
    }
    return found;
  }
}

/** The events of a reservation, as the order consumer would have heard them. */
export function orderingEventsOf(won: WonResult, sale: SaleStock): readonly OrderingEvent[] {
  const { id, payBeforeMs, state, version, paymentId, endedAtMs = won.decidedAtMs } = won.reservation;
  const reserved = { ...eventOf(won, sale, won.decidedAtMs), type: "reserved", version: 1, payBeforeMs } as const;
  const end = { ...eventOf(won, sale, endedAtMs), version };
  if (state === "reserved") return [reserved];
  if (state !== "sold") return [reserved, { ...end, type: "released", cause: state }];
  if (paymentId === undefined) throw new Error(`reservation ${id} is sold without a payment`);
  return [reserved, { ...end, type: "sold", paymentId }];
}

/** How a payment for this reservation is to end: undefined while that is undecided. */
export function settlingEventOf(won: WonResult, sale: SaleStock, paymentId: string): SettlingEvent | undefined {
  const { state, version, paymentId: soldTo, endedAtMs = won.decidedAtMs } = won.reservation;
  if (state === "reserved") return undefined;
  const type = state === "sold" && soldTo === paymentId ? "sold" : "pay-refused";
  return { ...eventOf(won, sale, endedAtMs), type, version, paymentId: paymentId as SettlingEvent["paymentId"] };
}

function eventOf(won: WonResult, { terms, available, reserved, sold }: SaleStock, atMs: number) {
  const { purchaseId, saleId, userId, quantity, position } = won;
  return {
    reservationId: won.reservation.id,
    purchaseId,
    saleId,
    userId,
    quantity,
    unitPriceCents: terms.priceCents,
    amountCents: quantity * terms.priceCents,
    title: terms.title,
    productId: terms.productId,
    atMs,
    position,
    stockAfter: { available, reserved, sold },
  } satisfies Omit<Extract<ReservationEvent, { type: "released" }>, "type" | "cause" | "version">;
}

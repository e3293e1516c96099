/**
 * Orders: makes the rows that shoppers see, and tells `orders` about each change, for SMS and whoever comes later.
 *
 *   reservations ──► half messages stored ──► rows written, one transaction a batch ──► half messages visible
 *
 * Row and event belong together; how they stay so when something dies in between stands in order-projection.ts.
 *
 * What can go wrong here: an event cannot be applied (its sale is unknown to the catalogue). It alone stays behind
 * (batch-writes.ts).
 */
import { groups, type ReservationEvent, reservations } from "@plateau/domain";
import type { GroupMember } from "queue-core";
import { settleBatch } from "../batch-writes.ts";
import { type OrderProjection, type OrderProjectionOptions, openOrderProjection } from "./order-projection.ts";
import { changesAnOrder } from "./order-rows.ts";

export interface OrderConsumerOptions extends OrderProjectionOptions {
  readonly member?: string;
}

export async function startOrderConsumer(
  options: OrderConsumerOptions,
): Promise<readonly [GroupMember, OrderProjection]> {
  const { queue, member } = options;
  const projection = await openOrderProjection(options);
  const consumer = await queue.consume<ReservationEvent>({
    group: groups.order,
    topic: reservations,
    maxBatch: 500,
    lingerMs: 50,
    lingerMaxMs: 500,
    ...(member === undefined ? {} : { member }),
    handle: (batch) =>
      settleBatch(batch, async (part) => {
        await projection.apply(part.map((message) => message.value).filter(changesAnOrder));
        return undefined;
      }),
  });
  return [consumer, projection];
}

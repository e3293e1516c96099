/**
 * What a shopper reads about an order. Says what happened, what was charged and what can be done now. The same event
 * always gives the same text: the provider knows a message by its key and would refuse another text.
 */
import type { OrderEvent } from "@plateau/domain";

export function smsTextOf(event: OrderEvent): string {
  const what = event.quantity === 1 ? event.title : `${event.quantity} × ${event.title}`;
  const amount = `${(event.amountCents / 100).toFixed(2)} €`;
  switch (event.type) {
    case "created": {
      const until = event.payBeforeMs === undefined ? "" : ` until ${timeOf(event.payBeforeMs)}`;
      return `Plateau: ${what} is reserved for you${until}. Pay ${amount} under Orders to keep it.`;
    }
    case "paid":
      return `Plateau: ${amount} received, ${what} is yours. We pack it today.`;
    case "cancelled":
      return `Plateau: your order of ${what} is cancelled. Nothing was charged.`;
    case "payment_expired":
      return `Plateau: the time to pay for ${what} has run out and it went back on sale. Nothing was charged.`;
  }
}

/** Hours and minutes, UTC. */
const timeOf = (ms: number): string => `${new Date(ms).toISOString().slice(11, 16)} UTC`;

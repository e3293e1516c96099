import type { Order } from "@plateau/domain/http";
import Link from "next/link";
import { Picture } from "../pictures/picture.tsx";
import { priceText } from "../text/figures.ts";
import { orderStateWords } from "../text/order-words.ts";
import { Clock } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";

const tones: Record<Order["state"], string> = {
  awaiting_payment: "text-signal-text",
  paying: "text-signal-text",
  paid: "text-pine-text",
  cancelled: "text-ink-soft",
  payment_expired: "text-ink-soft",
};

export function OrderList({ orders, moment }: { readonly orders: readonly Order[]; readonly moment: Moment }) {
  return (
    <ul className="border-t-2 border-ink">
      {orders.map((order) => (
        <li key={order.id} className="border-b border-hairline">
          <Link href={`/orders/${encodeURIComponent(order.id)}`} prefetch={false} className="order-row">
            <span className="order-picture">
              <Picture name={order.picture} />
            </span>
            <span className="min-w-0">
              <span className="block text-l">{order.title}</span>
              <span className="label">
                <Clock at={order.createdAt} grain="day" moment={moment} />
              </span>
            </span>
            <span className={`order-state ${tones[order.state]}`}>{orderStateWords[order.state]}</span>
            <span className="order-amount tabular">{priceText(order.amountCents)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

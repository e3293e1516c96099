import type { Order } from "@plateau/domain/http";
import Link from "next/link";
import { createProductText } from "../language/product-text.ts";
import { figures, translator } from "../language/server.ts";
import { Picture } from "../pictures/picture.tsx";
import { Clock } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";

const tones: Record<Order["state"], string> = {
  awaiting_payment: "text-signal-text",
  paying: "text-signal-text",
  paid: "text-pine-text",
  cancelled: "text-ink-soft",
  payment_expired: "text-ink-soft",
};

export async function OrderList({ orders, moment }: { readonly orders: readonly Order[]; readonly moment: Moment }) {
  const [t, catalogue, { price }] = await Promise.all([translator("orders"), translator("catalogue"), figures()]);
  const text = createProductText(catalogue);
  return (
    <ul className="border-t-2 border-ink">
      {orders.map((order) => (
        <li key={order.id} className="border-b border-hairline">
          <Link href={`/orders/${encodeURIComponent(order.id)}`} prefetch={false} className="order-row">
            <span className="order-picture">
              <Picture name={order.picture} />
            </span>
            <span className="min-w-0">
              <span className="block text-l">{text.title(order)}</span>
              <span className="label">
                <Clock at={order.createdAt} grain="day" moment={moment} />
              </span>
            </span>
            <span className={`order-state ${tones[order.state]}`}>{t(`state.${order.state}`)}</span>
            <span className="order-amount tabular">{price(order.amountCents)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

import type { Order } from "@plateau/domain/http";
import Link from "next/link";
import { OrderList } from "../../../orders/order-list.tsx";
import { ask } from "../../../server/backend.ts";
import { currentMoment } from "../../../server/moment.ts";
import { SignInInvitation } from "../../../session/sign-in-button.tsx";

export const metadata = { title: "Orders" };

export default async function OrdersPage() {
  const [answer, moment] = await Promise.all([ask<{ orders: Order[] }>("/api/orders"), currentMoment()]);
  if (!answer.ok && answer.status !== 401) throw new Error(`The gateway answered /api/orders with ${answer.status}`);
  return (
    <div className="page">
      <div className="lead-in">
        <h1>Orders</h1>
      </div>
      {!answer.ok ? (
        <SignInInvitation what="Orders belong to a shopper." />
      ) : answer.body.orders.length === 0 ? (
        <div className="grid justify-items-start gap-6 pb-24">
          <p className="max-w-xl text-ink-soft">
            Nothing yet. An order is written here the moment a unit is reserved for you, and waits for its payment.
          </p>
          <Link href="/" prefetch={false} className="plain-button">
            To the running sale
          </Link>
        </div>
      ) : (
        <OrderList orders={answer.body.orders} moment={moment} />
      )}
    </div>
  );
}

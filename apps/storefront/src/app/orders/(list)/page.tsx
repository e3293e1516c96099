import type { Order } from "@plateau/domain/http";
import Link from "next/link";
import { translator } from "../../../language/server.ts";
import { OrderList } from "../../../orders/order-list.tsx";
import { ask } from "../../../server/backend.ts";
import { currentMoment } from "../../../server/moment.ts";
import { SignInInvitation } from "../../../session/sign-in-button.tsx";

export async function generateMetadata() {
  return { title: (await translator("orders"))("title") };
}

export default async function OrdersPage() {
  const [answer, moment, t] = await Promise.all([
    ask<{ orders: Order[] }>("/api/orders"),
    currentMoment(),
    translator("orders"),
  ]);
  if (!answer.ok && answer.status !== 401) throw new Error(`The gateway answered /api/orders with ${answer.status}`);
  return (
    <div className="page">
      <div className="lead-in">
        <h1>{t("title")}</h1>
      </div>
      {!answer.ok ? (
        <SignInInvitation what={t("stranger")} />
      ) : answer.body.orders.length === 0 ? (
        <div className="grid justify-items-start gap-6 pb-24">
          <p className="max-w-xl text-ink-soft">{t("empty")}</p>
          <Link href="/" prefetch={false} className="plain-button">
            {t("toSale")}
          </Link>
        </div>
      ) : (
        <OrderList orders={answer.body.orders} moment={moment} />
      )}
    </div>
  );
}

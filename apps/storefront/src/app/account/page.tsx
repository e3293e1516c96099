import type { Order, SmsMessage } from "@plateau/domain/http";
import { AccountDesk } from "../../account/account-desk.tsx";
import { translator } from "../../language/server.ts";
import { Words } from "../../language/words.tsx";
import { ask } from "../../server/backend.ts";
import { currentShopper } from "../../server/shopper.ts";

export async function generateMetadata() {
  return { title: (await translator("account"))("title") };
}

export default async function AccountPage() {
  const [shopper, orders, messages, t] = await Promise.all([
    currentShopper(),
    ask<{ orders: Order[] }>("/api/orders"),
    ask<{ messages: SmsMessage[] }>("/api/messages"),
    translator("account"),
  ]);
  const counts = {
    orders: orders.ok ? orders.body.orders.length : 0,
    unpaid: orders.ok ? orders.body.orders.filter(({ state }) => state === "awaiting_payment").length : 0,
    messages: messages.ok ? messages.body.messages.length : 0,
  };
  return (
    <div className="page">
      <div className="lead-in">
        <h1>{shopper === undefined || !orders.ok ? t("title") : t("hello", { name: shopper.name })}</h1>
        <p className="max-w-xl text-ink-soft">{t("about")}</p>
      </div>
      <Words of={["account"]}>
        <AccountDesk counts={orders.ok ? counts : undefined} />
      </Words>
    </div>
  );
}

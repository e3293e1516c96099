import type { Order } from "@plateau/domain/http";
import Link from "next/link";
import { notFound } from "next/navigation";
import { createProductText } from "../../../language/product-text.ts";
import { translator } from "../../../language/server.ts";
import { Words } from "../../../language/words.tsx";
import { OrderAwaited } from "../../../orders/order-awaited.tsx";
import { OrderSheet } from "../../../orders/order-sheet.tsx";
import { ask } from "../../../server/backend.ts";
import { currentMoment } from "../../../server/moment.ts";
import { SignInInvitation } from "../../../session/sign-in-button.tsx";

export async function generateMetadata() {
  return { title: (await translator("orders"))("one") };
}

interface Props {
  readonly params: Promise<{ readonly id: string }>;
  readonly searchParams: Promise<{ readonly purchase?: string | string[] }>;
}

export default async function OrderPage({ params, searchParams }: Props) {
  const id = decodeURIComponent((await params).id);
  const { purchase } = await searchParams;
  const [answer, moment, t] = await Promise.all([
    ask<Order>(`/api/orders/${encodeURIComponent(id)}`),
    currentMoment(),
    translator("orders"),
  ]);
  if (answer.ok) {
    const title = createProductText(await translator("catalogue")).title(answer.body);
    return (
      <Frame title={title} saleId={answer.body.saleId}>
        <OrderSheet order={answer.body} moment={moment} />
      </Frame>
    );
  }
  if (answer.status === 401) {
    return (
      <Frame title={t("one")}>
        <SignInInvitation what={t("strangerOne")} />
      </Frame>
    );
  }
  if (answer.status !== 404 && answer.status !== 400)
    throw new Error(`The gateway answered order ${id} with ${answer.status}`);
  if (purchase === undefined) notFound();
  return (
    <Frame title={t("one")}>
      <OrderAwaited orderId={id} />
    </Frame>
  );
}

async function Frame(props: { readonly title: string; readonly saleId?: string; readonly children: React.ReactNode }) {
  const t = await translator("orders");
  return (
    <div className="page">
      <div className="lead-in">
        <p className="flex flex-wrap gap-x-6">
          <Link href="/orders" prefetch={false} className="text-link inline-flex min-h-11 items-center text-s">
            {t("all")}
          </Link>
          {props.saleId === undefined ? null : (
            <Link
              href={`/sales/${encodeURIComponent(props.saleId)}`}
              prefetch={false}
              className="text-link inline-flex min-h-11 items-center text-s"
            >
              {t("itsSale")}
            </Link>
          )}
        </p>
        <h1>{props.title}</h1>
      </div>
      <Words of={["orders", "catalogue"]}>{props.children}</Words>
    </div>
  );
}

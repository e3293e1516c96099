import type { Order } from "@plateau/domain/http";
import Link from "next/link";
import { notFound } from "next/navigation";
import { OrderAwaited } from "../../../orders/order-awaited.tsx";
import { OrderSheet } from "../../../orders/order-sheet.tsx";
import { ask } from "../../../server/backend.ts";
import { currentMoment } from "../../../server/moment.ts";
import { SignInInvitation } from "../../../session/sign-in-button.tsx";

export const metadata = { title: "Order" };

interface Props {
  readonly params: Promise<{ readonly id: string }>;
  readonly searchParams: Promise<{ readonly purchase?: string | string[] }>;
}

export default async function OrderPage({ params, searchParams }: Props) {
  const id = decodeURIComponent((await params).id);
  const { purchase } = await searchParams;
  const [answer, moment] = await Promise.all([ask<Order>(`/api/orders/${encodeURIComponent(id)}`), currentMoment()]);
  if (answer.ok) {
    const { title, saleId } = answer.body;
    return (
      <Frame title={title} saleId={saleId}>
        <OrderSheet order={answer.body} moment={moment} />
      </Frame>
    );
  }
  if (answer.status === 401) {
    return (
      <Frame title="Order">
        <SignInInvitation what="This order belongs to a shopper." />
      </Frame>
    );
  }
  if (answer.status !== 404 && answer.status !== 400)
    throw new Error(`The gateway answered order ${id} with ${answer.status}`);
  if (purchase === undefined) notFound();
  return (
    <Frame title="Order">
      <OrderAwaited orderId={id} />
    </Frame>
  );
}

function Frame(props: { readonly title: string; readonly saleId?: string; readonly children: React.ReactNode }) {
  return (
    <div className="page">
      <div className="lead-in">
        <p className="flex flex-wrap gap-x-6">
          <Link href="/orders" prefetch={false} className="text-link inline-flex min-h-11 items-center text-s">
            All orders
          </Link>
          {props.saleId === undefined ? null : (
            <Link
              href={`/sales/${encodeURIComponent(props.saleId)}`}
              prefetch={false}
              className="text-link inline-flex min-h-11 items-center text-s"
            >
              The sale it came from
            </Link>
          )}
        </p>
        <h1>{props.title}</h1>
      </div>
      {props.children}
    </div>
  );
}

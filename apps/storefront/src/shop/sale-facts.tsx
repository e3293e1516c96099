import type { Sale } from "@plateau/domain/http";
import Link from "next/link";
import { figures, translator } from "../language/server.ts";
import { Clock } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";

export async function SaleFacts(props: {
  readonly sale: Sale;
  readonly description: string | undefined;
  readonly moment: Moment;
}) {
  const { sale, description, moment } = props;
  const [t, { count, price, shortSpan, units }] = await Promise.all([translator("sale"), figures()]);
  return (
    <section className="mt-10 grid gap-6" aria-label={t("facts.title")}>
      {description === undefined ? null : <p className="max-w-lg">{description}</p>}
      <Link
        href={`/products/${encodeURIComponent(sale.productId)}`}
        prefetch={false}
        className="text-link inline-flex min-h-11 items-center justify-self-start"
      >
        {t("facts.product")}
      </Link>
      <dl className="facts text-s">
        <div>
          <dt>{t("facts.stock")}</dt>
          <dd>{units(sale.stock)}</dd>
        </div>
        <div>
          <dt>{t("facts.perPerson")}</dt>
          <dd>{count(sale.perUserLimit)}</dd>
        </div>
        <div>
          <dt>{t("facts.opens")}</dt>
          <dd>
            <Clock at={sale.startsAt} grain="date" moment={moment} />
          </dd>
        </div>
        <div>
          <dt>{t("facts.closes")}</dt>
          <dd>
            <Clock at={sale.endsAt} grain="date" moment={moment} />
          </dd>
        </div>
        <div>
          <dt>{t("facts.timeToPay")}</dt>
          <dd>{shortSpan(sale.paymentTimeoutMs)}</dd>
        </div>
        <div>
          <dt>{t("facts.usualPrice")}</dt>
          <dd>{price(sale.regularPriceCents)}</dd>
        </div>
      </dl>
    </section>
  );
}

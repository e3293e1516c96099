import type { Sale } from "@plateau/domain/http";
import { priceText, unitsText } from "../text/figures.ts";
import { Clock } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";

export function SaleFacts(props: {
  readonly sale: Sale;
  readonly description: string | undefined;
  readonly moment: Moment;
}) {
  const { sale, description, moment } = props;
  const seconds = Math.round(sale.paymentTimeoutMs / 1000);
  return (
    <section className="mt-10 grid gap-6" aria-label="About this sale">
      {description === undefined ? null : <p className="max-w-lg">{description}</p>}
      <dl className="facts text-s">
        <div>
          <dt>In this sale</dt>
          <dd>{unitsText(sale.stock)}</dd>
        </div>
        <div>
          <dt>Per person</dt>
          <dd>{sale.perUserLimit}</dd>
        </div>
        <div>
          <dt>Opens</dt>
          <dd>
            <Clock at={sale.startsAt} grain="second" moment={moment} />
          </dd>
        </div>
        <div>
          <dt>Closes</dt>
          <dd>
            <Clock at={sale.endsAt} grain="second" moment={moment} />
          </dd>
        </div>
        <div>
          <dt>Time to pay</dt>
          <dd>{seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`}</dd>
        </div>
        <div>
          <dt>Usual price</dt>
          <dd>{priceText(sale.regularPriceCents)}</dd>
        </div>
      </dl>
    </section>
  );
}

"use client";
/** The next sales as departures in a station: time, object, units, price, how long, remind me. */
import type { Sale } from "@plateau/domain/http";
import Link from "next/link";
import { useTranslations } from "use-intl/react";
import { useFigures } from "../language/words-in-browser.tsx";
import { Clock, Countdown } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";
import { RemindButton } from "./reminders.tsx";
import { useProductText } from "./use-product-text.ts";

export interface TimetableProps {
  readonly alsoOpen: readonly Sale[];
  readonly next: readonly Sale[];
  readonly moment: Moment;
}

export function Timetable({ alsoOpen, next, moment }: TimetableProps) {
  const t = useTranslations("shop.timetable");
  const shop = useTranslations("shop");
  const { count, units } = useFigures();
  return (
    <section aria-labelledby="timetable-title">
      <div className="section-head" data-tour="peak">
        <h2 id="timetable-title">{t("title")}</h2>
        <p className="label">{t("note")}</p>
      </div>
      <div className="timetable">
        <div className="timetable-head" aria-hidden="true">
          <span>{t("opens")}</span>
          <span>{t("object")}</span>
          <span>{t("units")}</span>
          <span>{t("price")}</span>
          <span>{t("in")}</span>
          <span />
        </div>
        {alsoOpen.map((sale) => (
          <Row key={sale.id} sale={sale} moment={moment} units={shop("left", { count: count(sale.available) })}>
            <span className="timetable-in timetable-now">{t("openNow")}</span>
            <span className="timetable-act">
              <Link className="plain-button" href={saleAddress(sale)} prefetch={false}>
                {t("go")}
              </Link>
            </span>
          </Row>
        ))}
        {next.map((sale) => (
          <Row key={sale.id} sale={sale} moment={moment} units={units(sale.stock)}>
            <span className="timetable-in">
              <Countdown to={sale.startsAt} moment={moment} />
            </span>
            <span className="timetable-act">
              <RemindButton sale={sale} />
            </span>
          </Row>
        ))}
        {next.length === 0 && alsoOpen.length === 0 ? <p className="py-6 text-ink-soft">{t("empty")}</p> : null}
      </div>
    </section>
  );
}

const saleAddress = (sale: Sale) => `/sales/${encodeURIComponent(sale.id)}`;

function Row(props: {
  readonly sale: Sale;
  readonly moment: Moment;
  readonly units: string;
  readonly children: React.ReactNode;
}) {
  const { sale, moment, units, children } = props;
  const { price } = useFigures();
  const text = useProductText();
  return (
    <div className="timetable-row">
      <span className="timetable-time">
        <Clock at={sale.startsAt} grain="minute" moment={moment} />
      </span>
      <span className="timetable-thing">
        <Link href={saleAddress(sale)} prefetch={false}>
          {text.title(sale)}
        </Link>
      </span>
      <span className="timetable-units">{units}</span>
      <span className="timetable-price">{price(sale.priceCents)}</span>
      {children}
    </div>
  );
}

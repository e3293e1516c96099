"use client";
/** The next sales as departures in a station: time, object, units, price, how long, remind me. */
import type { Sale } from "@plateau/domain/http";
import Link from "next/link";
import { countText, priceText, unitsText } from "../text/figures.ts";
import { Clock, Countdown } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";
import { RemindButton } from "./reminders.tsx";

export interface TimetableProps {
  readonly alsoOpen: readonly Sale[];
  readonly next: readonly Sale[];
  readonly gone: readonly Sale[];
  readonly moment: Moment;
}

export function Timetable({ alsoOpen, next, gone, moment }: TimetableProps) {
  return (
    <section aria-labelledby="timetable-title">
      <div className="section-head">
        <h2 id="timetable-title">Timetable</h2>
        <p className="label">On the hour, and every five minutes a house sale that draws a crowd</p>
      </div>
      <div className="timetable">
        <div className="timetable-head" aria-hidden="true">
          <span>Opens</span>
          <span>Object</span>
          <span>Units</span>
          <span>Price</span>
          <span>In</span>
          <span />
        </div>
        {alsoOpen.map((sale) => (
          <Row key={sale.id} sale={sale} moment={moment} units={`${countText(sale.available)} left`}>
            <span className="timetable-in timetable-now">Open now</span>
            <span className="timetable-act">
              <Link className="plain-button" href={saleAddress(sale)} prefetch={false}>
                Go there
              </Link>
            </span>
          </Row>
        ))}
        {next.map((sale) => (
          <Row key={sale.id} sale={sale} moment={moment} units={unitsText(sale.stock)}>
            <span className="timetable-in">
              <Countdown to={sale.startsAt} moment={moment} />
            </span>
            <span className="timetable-act">
              <RemindButton sale={sale} />
            </span>
          </Row>
        ))}
        {next.length === 0 && alsoOpen.length === 0 ? (
          <p className="py-6 text-ink-soft">Nothing else is on the timetable.</p>
        ) : null}
        {gone.map((sale) => (
          <Row key={sale.id} sale={sale} moment={moment} units={`${countText(sale.sold)} sold`} gone>
            <span className="timetable-in">{sale.state === "sold_out" ? "Sold out" : "Over"}</span>
            <span className="timetable-act" />
          </Row>
        ))}
      </div>
    </section>
  );
}

const saleAddress = (sale: Sale) => `/sales/${encodeURIComponent(sale.id)}`;

function Row(props: {
  readonly sale: Sale;
  readonly moment: Moment;
  readonly units: string;
  readonly gone?: boolean;
  readonly children: React.ReactNode;
}) {
  const { sale, moment, units, gone = false, children } = props;
  return (
    <div className={gone ? "timetable-row gone" : "timetable-row"}>
      <span className="timetable-time">
        <Clock at={sale.startsAt} grain="minute" moment={moment} />
      </span>
      <span className="timetable-thing">
        <Link href={saleAddress(sale)} prefetch={false}>
          {sale.title}
        </Link>
      </span>
      <span className="timetable-units">{units}</span>
      <span className="timetable-price">{priceText(sale.priceCents)}</span>
      {children}
    </div>
  );
}

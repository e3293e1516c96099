"use client";
import type { FlowSample, Sale } from "@plateau/domain/http";
import Link from "next/link";
import { useTranslations } from "use-intl";
import { useZone } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";
import { ChartOrTable } from "./chart-or-table.tsx";
import { RecentSales } from "./recent-sales.tsx";
import { StoryLine } from "./story-line.tsx";
import { useFlow } from "./use-flow.ts";
import { WayOfAPurchase } from "./way-of-a-purchase.tsx";

export interface FlowBoardProps {
  /** Of the last three minutes, oldest first. */
  readonly history: readonly FlowSample[];
  readonly sales: { readonly sales: readonly Sale[] };
  readonly moment: Moment;
}

export function FlowBoard({ history, sales, moment }: FlowBoardProps) {
  const words = useTranslations("live");
  const { seconds, last, source } = useFlow(history);
  const zone = useZone(moment);
  return (
    <div className="grid grid-cols-1 gap-16">
      <section aria-labelledby="now-title">
        <div className="section-head">
          <h2 id="now-title">{words("now")}</h2>
          <p className={source === "events" || source === "polling" ? "now text-s" : "now quiet text-s"} role="status">
            {words(`source.${source}`)}
          </p>
        </div>
        <StoryLine seconds={seconds} />
        <ChartOrTable seconds={seconds} marks={none} zone={zone} reach="three-minutes" />
        <p className="pt-4">
          <Link className="text-link inline-flex min-h-11 items-center" href="/ops" prefetch={false}>
            {words("toRoom")}
          </Link>
        </p>
      </section>
      {last === undefined ? null : <WayOfAPurchase sample={last} />}
      <RecentSales sales={sales} moment={moment} />
    </div>
  );
}

const none = [] as const;

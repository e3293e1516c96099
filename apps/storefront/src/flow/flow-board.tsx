"use client";
import type { FlowSample, Sale } from "@plateau/domain/http";
import { countText } from "../text/figures.ts";
import { refusalText } from "../text/refusals.ts";
import { useZone } from "../time/clock.tsx";
import { clockText } from "../time/format.ts";
import type { Moment } from "../time/moment.ts";
import { FlowChart } from "./flow-chart.tsx";
import { RecentSales } from "./recent-sales.tsx";
import { refusedPerSecond } from "./samples.ts";
import { type FlowSource, useFlow } from "./use-flow.ts";
import { WayOfAPurchase } from "./way-of-a-purchase.tsx";

export interface FlowBoardProps {
  /** Of the last three minutes, oldest first. */
  readonly history: readonly FlowSample[];
  readonly sales: { readonly sales: readonly Sale[] };
  readonly moment: Moment;
}

const rowsShown = 10;

const sourceWords: Record<FlowSource, string> = {
  connecting: "Connecting",
  events: "Live, once a second",
  polling: "Live, asking once a second",
  lost: "Connection lost, asking again",
};

export function FlowBoard({ history, sales, moment }: FlowBoardProps) {
  const { samples, source } = useFlow(history);
  const last = samples.at(-1);
  return (
    <div className="grid grid-cols-1 gap-16">
      <section aria-labelledby="now-title">
        <div className="section-head">
          <h2 id="now-title">This second</h2>
          <p className={source === "events" || source === "polling" ? "now text-s" : "now quiet text-s"} role="status">
            {sourceWords[source]}
          </p>
        </div>
        {last === undefined ? null : <NowFigures sample={last} />}
        <div className="pt-8">
          <FlowChart samples={samples} />
        </div>
      </section>
      {last === undefined ? null : <WayOfAPurchase sample={last} />}
      <section aria-labelledby="seconds-title">
        <div className="section-head">
          <h2 id="seconds-title">The last seconds in figures</h2>
          {last === undefined ? null : <p className="label">Refused at the door: {refusedWords(last)}</p>}
        </div>
        <SecondsTable samples={samples.slice(-rowsShown).toReversed()} moment={moment} />
      </section>
      <RecentSales sales={sales} moment={moment} />
    </div>
  );
}

function refusedWords({ refused }: FlowSample): string {
  const reasons = Object.entries(refused).filter(([, rate]) => rate > 0);
  if (reasons.length === 0) return "nobody this second";
  return reasons.map(([reason, rate]) => `${refusalText(reason).toLowerCase()} ${rateText(rate)}`).join(", ");
}

const rateText = (rate: number) => countText(Math.round(rate * 10) / 10);
const msText = (ms: number | null) => (ms === null ? "–" : `${countText(Math.round(ms))} ms`);

function NowFigures({ sample }: { readonly sample: FlowSample }) {
  const figures = [
    ["Arrivals/s", rateText(sample.arrivals), "arrivals"],
    ["Admitted/s", rateText(sample.admitted), "admitted"],
    ["Decided/s", rateText(sample.decided), "decided"],
    ["Backlog", countText(sample.backlog), "backlog"],
    ["Answer, median", msText(sample.answerMs.p50), undefined],
    ["Answer, p99", msText(sample.answerMs.p99), undefined],
  ] as const;
  return (
    <dl className="now-figures">
      {figures.map(([name, figure, key]) => (
        <div key={name}>
          <dt className="label flex items-center gap-2">
            {key === undefined ? null : <span className={`flow-key ${key}`} aria-hidden="true" />}
            {name}
          </dt>
          <dd>{figure}</dd>
        </div>
      ))}
    </dl>
  );
}

function SecondsTable({ samples, moment }: { readonly samples: readonly FlowSample[]; readonly moment: Moment }) {
  const zone = useZone(moment);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="sideways" tabIndex={0} aria-labelledby="seconds-title">
      <table className="figures text-s" data-testid="seconds">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Arrivals</th>
            <th scope="col">Admitted</th>
            <th scope="col">Refused</th>
            <th scope="col">Decided</th>
            <th scope="col">Backlog</th>
            <th scope="col">p50</th>
            <th scope="col">p95</th>
            <th scope="col">p99</th>
          </tr>
        </thead>
        <tbody>
          {samples.map((sample) => (
            <tr key={sample.atMs}>
              <th scope="row">{clockText(sample.atMs, "second", zone)}</th>
              <td>{rateText(sample.arrivals)}</td>
              <td>{rateText(sample.admitted)}</td>
              <td>{rateText(refusedPerSecond(sample))}</td>
              <td>{rateText(sample.decided)}</td>
              <td>{countText(sample.backlog)}</td>
              <td>{msText(sample.answerMs.p50)}</td>
              <td>{msText(sample.answerMs.p95)}</td>
              <td>{msText(sample.answerMs.p99)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

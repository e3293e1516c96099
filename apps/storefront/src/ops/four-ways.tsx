"use client";
/** Four ways to serve the same crowd, as small multiples on one scale, figures under each. */
import type { FourWaysCurve, FourWaysReport } from "@plateau/domain/four-ways";
import { useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { usePolled } from "../browser/use-polled.ts";
import { OneWay } from "./one-way.tsx";
import { order, useProblemText } from "./order-answer.ts";
import { RoomNavigation } from "./room-navigation.tsx";
import { scaleOf } from "./ways-summary.ts";

const under = (report: FourWaysReport) => report.state === "starting" || report.state === "running";
const pauseMs = (report: FourWaysReport) => (under(report) ? 1_000 : 5_000);

/** Undefined: not served here. */
export function FourWays({ initial }: { readonly initial: FourWaysReport | undefined }) {
  const words = useTranslations("ops.ways");
  return (
    <div className="page control-room">
      <RoomNavigation here="ways" />
      <p className="story">{words("title")}</p>
      <p className="room-label">{words("lead")}</p>
      {initial === undefined ? <p>{words("absent")}</p> : <Ways initial={initial} />}
    </div>
  );
}

function Ways({ initial }: { readonly initial: FourWaysReport }) {
  const words = useTranslations("ops.ways");
  const { value: report, refresh } = usePolled<FourWaysReport>("/api/ops/four-ways", initial, pauseMs);
  const scale = scaleOf(report);
  return (
    <>
      <RunLine report={report} onOrdered={refresh} />
      <ol className="ways">
        {report.curves.map((curve) => (
          <OneWay key={curve.way} curve={curve} scale={scale} />
        ))}
      </ol>
      {report.comparisons.length === 0 ? null : (
        <section aria-labelledby="comparisons-title">
          <h2 id="comparisons-title">{words("comparisons")}</h2>
          <ul className="comparisons" lang="en">
            {report.comparisons.map(({ id, title, verdict, evidence }) => (
              <li key={id} data-verdict={verdict}>
                {title} <span className="room-label">{evidence}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <WaysTable curves={report.curves} />
    </>
  );
}

function RunLine({ report, onOrdered }: { readonly report: FourWaysReport; readonly onOrdered: () => void }) {
  const words = useTranslations("ops.ways");
  const problemText = useProblemText();
  const [problem, setProblem] = useState<string>();
  const send = async (method: "POST" | "DELETE") => {
    setProblem(problemText(await order("/api/ops/four-ways", method === "POST" ? { method, body: {} } : { method })));
    onOrdered();
  };
  const running = under(report);
  const ranBefore = report.state === "done" || report.state === "stopped";
  return (
    <p className="spike-line">
      {running ? (
        <button type="button" className="room-button" onClick={() => void send("DELETE")}>
          {words("stop")}
        </button>
      ) : (
        <button type="button" className="room-button strong" onClick={() => void send("POST")}>
          {words(ranBefore ? "again" : "run")}
        </button>
      )}
      <span role="status">{problem ?? stateText(report, words)}</span>
      {running && report.remainingMs !== null ? (
        <span className="tabular">{words("left", { seconds: Math.ceil(report.remainingMs / 1_000) })}</span>
      ) : null}
    </p>
  );
}

function stateText(report: FourWaysReport, words: ReturnType<typeof useTranslations<"ops.ways">>): string {
  if (report.state === "idle") return words("idle");
  if (report.state === "starting") return words("starting");
  if (report.state === "failed") return words("failed", { problem: report.problem ?? "" });
  const now = report.curves.find(({ state }) => state === "running" || state === "checking");
  return now === undefined ? "" : `${words(`way.${now.way}.name`)}: ${words(`state.${now.state}`)}`;
}

function WaysTable({ curves }: { readonly curves: readonly FourWaysCurve[] }) {
  const words = useTranslations("ops.ways");
  const format = useFormatter();
  const length = Math.max(...curves.map(({ seconds }) => seconds.length));
  if (length <= 0) return null;
  const parts = ["arrivals", "accepted", "refused", "databaseBusy"] as const;
  const names = {
    arrivals: "arrivals",
    accepted: "acceptedLine",
    refused: "refused",
    databaseBusy: "databaseLine",
  } as const;
  return (
    <details className="ways-table">
      <summary>{words("table")}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className="sideways" tabIndex={0} aria-label={words("table")}>
        <table className="room-table">
          <thead>
            <tr>
              <th scope="col" rowSpan={2}>
                {words("second")}
              </th>
              {curves.map(({ way }) => (
                <th key={way} scope="colgroup" colSpan={parts.length}>
                  {words(`way.${way}.name`)}
                </th>
              ))}
            </tr>
            <tr>
              {curves.flatMap(({ way }) =>
                parts.map((part) => (
                  <th key={`${way} ${part}`} scope="col">
                    {words(names[part])}
                  </th>
                )),
              )}
            </tr>
          </thead>
          <tbody>
            {Array.from({ length }, (_, second) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a row is its second
              <tr key={second}>
                <th scope="row">{second}</th>
                {curves.flatMap(({ way, seconds }) =>
                  parts.map((part) => {
                    const value = seconds[second]?.[part];
                    return (
                      <td key={`${way} ${part}`}>
                        {value === undefined ? "" : format.number(value, { maximumFractionDigits: 1 })}
                      </td>
                    );
                  }),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}

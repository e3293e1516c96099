"use client";
/** Whether all is well: each running sale's stock as a sum that must hold, and the last audit. */
import type { ControlSecond, StockLine } from "@plateau/domain/control-room";
import type { AuditReport, Verdict } from "@plateau/domain/http";
import { useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { call } from "../browser/api.ts";

const salesShown = 3;
const invariantIds = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"] as const;

/** Not to know is no alarm. */
const verdictClass: Readonly<Record<Verdict | "never", string>> = {
  pass: "verdict-word",
  fail: "verdict-word amiss",
  unknown: "font-semibold",
  never: "room-label",
};

export function VerdictStrip({ latest }: { readonly latest: ControlSecond | undefined }) {
  const words = useTranslations("ops.verdict");
  const sales = latest?.sales.slice(0, salesShown) ?? [];
  return (
    <section className="room-block" data-tour="verdict" aria-labelledby="verdict-title">
      <h2 id="verdict-title">{words("title")}</h2>
      {sales.length === 0 ? <p className="room-label">{words("none")}</p> : null}
      <ul className="stock-lines">
        {sales.map((sale) => (
          <StockSum key={sale.saleId} sale={sale} />
        ))}
      </ul>
      <Invariants latest={latest} />
    </section>
  );
}

function StockSum({ sale }: { readonly sale: StockLine }) {
  const words = useTranslations("ops.verdict");
  const format = useFormatter();
  const { title, stock, available, reserved, sold, holds } = sale;
  const share = (units: number) => (100 * units) / Math.max(stock, 1);
  return (
    <li data-holds={holds}>
      <p className="stock-title">
        <span>{title}</span>
        <span className={holds ? "verdict-word" : "verdict-word amiss"}>{words(holds ? "holds" : "broken")}</span>
      </p>
      <svg className="stock-sum" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect className="whole" width="100" height="4" />
        <rect className="sold" width={share(sold)} height="4" />
        <rect className="reserved" x={share(sold)} width={share(reserved)} height="4" />
      </svg>
      <p className="room-label tabular">
        {words("equation", {
          stock: format.number(stock),
          available: format.number(available),
          reserved: format.number(reserved),
          sold: format.number(sold),
        })}
      </p>
    </li>
  );
}

function Invariants({ latest }: { readonly latest: ControlSecond | undefined }) {
  const words = useTranslations("ops.verdict");
  const audit = latest?.audit ?? undefined;
  const stateOf = (id: number): Verdict | "never" =>
    audit === undefined ? "never" : (audit.amiss.find((one) => one.id === id)?.verdict ?? "pass");
  const ageS = audit === undefined ? 0 : Math.max(0, Math.round(((latest?.atMs ?? 0) - audit.atMs) / 1_000));
  return (
    <>
      <ol className="invariants">
        {invariantIds.map((id) => {
          const state = stateOf(Number(id));
          return (
            <li key={id} className={state} title={words(`invariant.${id}`)}>
              <span className="sr-only">
                {words(`invariant.${id}`)}
                {state === "never" ? "" : `: ${words(`state.${state}`)}`}
              </span>
              <span aria-hidden="true">{id}</span>
            </li>
          );
        })}
      </ol>
      <p className="audit-line">
        <span role="status" className={verdictClass[audit?.verdict ?? "never"]}>
          {words(`audit.${audit?.verdict ?? "never"}`)}
        </span>
        {audit === undefined ? null : <span className="room-label tabular">{words("age", { age: ageS })}</span>}
      </p>
      <Evidence />
    </>
  );
}

/** Asked for when it is opened: an audit reads the whole log. */
function Evidence() {
  const words = useTranslations("ops.verdict");
  const [report, setReport] = useState<AuditReport | "lost">();
  const look = async () => {
    setReport(undefined);
    const reply = await call<AuditReport>("/api/ops/audit", { withinMs: 60_000 });
    setReport(reply.kind === "ok" ? reply.body : "lost");
  };
  const lost = useTranslations("ops.problem")("lost");
  return (
    <details
      className="evidence"
      onToggle={(event) => {
        if (event.currentTarget.open) void look();
      }}
    >
      <summary>{words("all")}</summary>
      {report === undefined ? <p className="room-label">{words("looking")}</p> : null}
      {report === "lost" ? <p>{lost}</p> : null}
      {report === undefined || report === "lost" ? null : (
        <ol>
          {report.invariants.map(({ id, title, verdict, evidence }) => {
            const known = invariantIds.find((own) => own === String(id));
            return (
              <li key={id}>
                <p>
                  {known === undefined ? title : words(`invariant.${known}`)}{" "}
                  <span className={verdictClass[verdict]}>{words(`state.${verdict}`)}</span>
                </p>
                <p className="room-label" lang="en">
                  {evidence}
                </p>
              </li>
            );
          })}
        </ol>
      )}
    </details>
  );
}

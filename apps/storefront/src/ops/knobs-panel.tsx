"use client";
/**
 * Settings that act at once. A slider for the hand, a number for the exact value; what is in force is what the gateway
 * confirmed, not what was asked for.
 */
import type { Knobs } from "@plateau/domain/http";
import { useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { call } from "../browser/api.ts";
import { type KnobOrder, KnobRow, SwitchRow } from "./knob-row.tsx";
import type { Bounds, KnobName } from "./knob-settings.ts";
import { order, useProblemText } from "./order-answer.ts";

export interface KnobsPanelProps {
  readonly initial: Knobs;
  readonly bounds: Partial<Record<KnobName, Bounds>>;
  /** Each with a sentence that says why. */
  readonly fixed: Readonly<Record<string, string>>;
  /** Changes whenever somebody turned a knob, here or elsewhere. */
  readonly turned: string;
}

const first = ["decisionCostMs", "workers", "batchMax", "tokenRatePerSecond", "tokenBurst", "backlogMax"] as const;
const further = [
  "userRatePerSecond",
  "addressRatePerSecond",
  "velocityPerMinute",
  "accountsPerDevice",
  "paymentLatencyMs",
  "smsLatencyMs",
  "riskLatencyMs",
  "crowdShoppers",
] as const;

export function KnobsPanel({ initial, bounds, fixed, turned }: KnobsPanelProps) {
  const words = useTranslations("ops.knobs");
  const problemText = useProblemText();
  const [knobs, setKnobs] = useState(initial);
  useEffect(() => {
    if (turned === "") return;
    let stale = false;
    void call<Knobs>("/api/ops/knobs").then((reply) => {
      if (!stale && reply.kind === "ok") setKnobs(reply.body);
    });
    return () => {
      stale = true;
    };
  }, [turned]);
  const turn: KnobOrder = async (name, value) => {
    const reply = await order<Knobs>("/api/ops/knobs", { method: "PATCH", body: { [name]: value } });
    if (reply.kind === "ok") setKnobs(reply.body);
    return problemText(reply);
  };
  const rows = (names: readonly (typeof first | typeof further)[number][]) =>
    names.map((name) => {
      const range = bounds[name];
      if (range === undefined) return null;
      return <KnobRow key={name} name={name} value={knobs[name]} bounds={range} fixed={fixed[name]} onTurn={turn} />;
    });
  return (
    <section className="room-block" data-tour="knobs" aria-labelledby="knobs-title">
      <h2 id="knobs-title">{words("title")}</h2>
      <div className="knobs">{rows(first)}</div>
      <details>
        <summary>{words("more")}</summary>
        <div className="knobs">
          {rows(further)}
          <SwitchRow name="limitLoopback" value={knobs.limitLoopback} onTurn={turn} />
        </div>
      </details>
    </section>
  );
}

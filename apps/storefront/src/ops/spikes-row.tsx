"use client";
/** Ready scenarios: press one, and the chart tells the story. */
import type { SpikeScenario, SpikeScenarioId, SpikeStatus, Spikes } from "@plateau/domain/control-orders";
import { useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { order, useProblemText } from "./order-answer.ts";

interface SpikesRowProps {
  readonly spikes: Spikes;
  /** As the stream tells it. */
  readonly status: SpikeStatus | undefined;
  readonly nowMs: number;
}

const under = new Set<SpikeStatus["state"]>(["preparing", "running", "draining"]);

export function SpikesRow({ spikes, status, nowMs }: SpikesRowProps) {
  const words = useTranslations("ops.spikes");
  const problemText = useProblemText();
  const [problem, setProblem] = useState<string>();
  const [asked, setAsked] = useState<SpikeScenarioId>();
  const running = status !== undefined && under.has(status.state) ? status : undefined;
  const play = async (scenario: SpikeScenarioId) => {
    setAsked(scenario);
    setProblem(problemText(await order("/api/ops/spikes", { method: "POST", body: { scenario } })));
    setAsked(undefined);
  };
  const stop = async () => setProblem(problemText(await order("/api/ops/spikes", { method: "DELETE" })));
  const told = running?.scenario ?? asked;
  return (
    <section className="spikes" data-tour="spikes" aria-labelledby="spikes-title">
      <h2 id="spikes-title">{words("title")}</h2>
      <ul>
        {spikes.scenarios.map((scenario) => (
          <li key={scenario.id}>
            <SpikeButton
              scenario={scenario}
              state={told === undefined ? "ready" : told === scenario.id ? "playing" : "elsewhere"}
              unavailable={spikes.unavailable}
              onPlay={() => void play(scenario.id)}
            />
          </li>
        ))}
      </ul>
      <p className="spike-line tabular">
        {running === undefined ? null : (
          <button type="button" className="room-button" onClick={() => void stop()}>
            {words("stop")}
          </button>
        )}
        <span>
          {problem ?? spikes.unavailable ?? (told === undefined ? "" : words(`${told}.story`))}{" "}
          {status === undefined ? null : <SpikeProgress status={status} nowMs={nowMs} />}
        </span>
      </p>
    </section>
  );
}

function SpikeButton(props: {
  readonly scenario: SpikeScenario;
  readonly state: "ready" | "playing" | "elsewhere";
  readonly unavailable: string | null;
  readonly onPlay: () => void;
}) {
  const { scenario, state, unavailable, onPlay } = props;
  const words = useTranslations("ops.spikes");
  const format = useFormatter();
  const { id, offeredPerSecond, capacityPerSecond } = scenario;
  const disabled = state !== "ready" || unavailable !== null;
  return (
    <button
      type="button"
      className="spike-button"
      data-scenario={id}
      aria-pressed={state === "playing"}
      aria-disabled={disabled}
      title={words(`${id}.story`)}
      onClick={disabled ? undefined : onPlay}
    >
      <span>{words(`${id}.name`)}</span>
      <span className="room-label tabular">
        {words("figures", {
          offered: format.number(Math.round(offeredPerSecond)),
          capacity: format.number(Math.round(capacityPerSecond)),
        })}
      </span>
    </button>
  );
}

function SpikeProgress({ status, nowMs }: { readonly status: SpikeStatus; readonly nowMs: number }) {
  const words = useTranslations("ops.spikes");
  const format = useFormatter();
  const { state, runningSinceMs, seconds, problem } = status;
  const passed =
    runningSinceMs === null ? 0 : Math.min(seconds, Math.max(0, Math.round((nowMs - runningSinceMs) / 1_000)));
  const values = {
    passed,
    seconds,
    sent: format.number(status.sent),
    answered: format.number(status.answered),
    problem: problem ?? "",
  };
  return (
    <span className="room-label" data-testid="spike-progress" data-state={state}>
      {words(state, values)}
    </span>
  );
}

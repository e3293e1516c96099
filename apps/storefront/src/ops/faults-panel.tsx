"use client";
/** Things to break on purpose. Each mends itself after its seconds; while it acts, the button says so and ends it. */
import type { FaultId, FaultState, FaultyGroup } from "@plateau/domain/control-orders";
import { useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { call } from "../browser/api.ts";
import { order, useProblemText } from "./order-answer.ts";

export interface FaultStates {
  readonly faults: readonly FaultState[];
}

export interface FaultsPanelProps {
  readonly initial: FaultStates;
  /** Engine time of the newest second, for what is left. */
  readonly nowMs: number;
  /** Changes whenever a fault began or ended. */
  readonly changed: string;
}

/** What is ordered by the button; what is not named is as usual. */
const orders: Readonly<Record<FaultId, Readonly<Record<string, number | string>>>> = {
  "kill-worker": {},
  "pause-group": {},
  "deliver-twice": {},
  poison: {},
  "slow-database": {},
  replies: { loseEvery: 2 },
  payments: { failEvery: 2 },
  sms: { failEvery: 2 },
  risk: { latencyMs: 1_000 },
};

const pausable: readonly FaultyGroup[] = ["sms", "order", "payment", "stats", "risk", "stock"];

export function FaultsPanel({ initial, nowMs, changed }: FaultsPanelProps) {
  const words = useTranslations("ops.faults");
  const problemText = useProblemText();
  const [faults, setFaults] = useState(initial.faults);
  const [told, setTold] = useState<FaultId>();
  const [problem, setProblem] = useState<string>();
  const [group, setGroup] = useState<FaultyGroup>("sms");
  const look = async () => {
    const reply = await call<FaultStates>("/api/ops/faults");
    if (reply.kind === "ok") setFaults(reply.body.faults);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again whenever one began or ended
  useEffect(() => {
    if (changed !== "") void look();
  }, [changed]);
  const press = async ({ id, active }: FaultState) => {
    setTold(id);
    const path = `/api/ops/faults/${id}` as const;
    const body = id === "pause-group" ? { group } : orders[id];
    const reply = await order(path, active ? { method: "DELETE" } : { method: "PUT", body });
    setProblem(problemText(reply));
    await look();
  };
  return (
    <section className="room-block" aria-labelledby="faults-title">
      <h2 id="faults-title">{words("title")}</h2>
      <ul className="faults">
        {faults.map((fault) => (
          <FaultButton key={fault.id} fault={fault} nowMs={nowMs} onPress={() => void press(fault)}>
            {fault.id === "pause-group" ? (
              <select
                aria-label={words("which")}
                value={group}
                onChange={(event) => setGroup(event.target.value as FaultyGroup)}
              >
                {pausable.map((one) => (
                  <option key={one} value={one}>
                    {words(`group.${one}`)}
                  </option>
                ))}
              </select>
            ) : null}
          </FaultButton>
        ))}
      </ul>
      <p className="fault-watch room-label" role="status">
        {problem ?? (told === undefined ? "" : words(`${told}.watch`))}
      </p>
    </section>
  );
}

function FaultButton(props: {
  readonly fault: FaultState;
  readonly nowMs: number;
  readonly onPress: () => void;
  readonly children: React.ReactNode;
}) {
  const { fault, nowMs, onPress, children } = props;
  const words = useTranslations("ops.faults");
  const { id, active, untilMs, hits, unavailable } = fault;
  const name = words(`${id}.name`);
  const left = active && untilMs !== null ? Math.max(0, Math.ceil((untilMs - nowMs) / 1_000)) : undefined;
  const acts = active && (left === undefined || left > 0);
  const state = [
    acts && left !== undefined ? words("left", { seconds: left }) : undefined,
    hits === null || hits === 0 ? undefined : words("hits", { count: hits }),
  ].filter((part) => part !== undefined);
  return (
    <li data-fault={id} data-active={acts}>
      <button
        type="button"
        className="fault-button"
        aria-pressed={acts}
        aria-describedby={`fault-${id}-state fault-${id}`}
        aria-disabled={unavailable !== null}
        title={unavailable === null ? words(`${id}.watch`) : words("unavailable", { why: unavailable })}
        onClick={unavailable === null ? onPress : undefined}
      >
        {name}
      </button>
      <span id={`fault-${id}-state`} className="fault-state tabular">
        {state.join(" · ")}
      </span>
      {children}
      <span id={`fault-${id}`} className="sr-only">
        {unavailable === null ? words(`${id}.watch`) : words("unavailable", { why: unavailable })}
      </span>
    </li>
  );
}

"use client";
import type { Knobs } from "@plateau/domain/http";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { positionOf, positions, valueAt } from "./knob-scale.ts";
import type { Bounds, KnobName } from "./knob-settings.ts";

/** Resolves with what was wrong, undefined where the gateway confirmed it. */
export type KnobOrder = (name: KnobName, value: number | boolean) => Promise<string | undefined>;
export type NumberKnob = { [Name in KnobName]: Knobs[Name] extends number ? Name : never }[KnobName];
type State = "inForce" | "changed" | "sending";

interface KnobRowProps {
  readonly name: NumberKnob;
  /** As confirmed. */
  readonly value: number;
  readonly bounds: Bounds;
  readonly fixed: string | undefined;
  readonly onTurn: KnobOrder;
}

/** So that one drag is a few orders and not a hundred. */
const settleMs = 250;

export function KnobRow({ name, value, bounds, fixed, onTurn }: KnobRowProps) {
  const words = useTranslations("ops.knobs");
  const { draft, state, problem, propose } = useTurning({ name, value, bounds, onTurn });
  const id = useId();
  const label = words(`${name}.name`);
  const unitKey = `${name}.unit` as "batchMax.unit";
  const unit = words.has(unitKey) ? words(unitKey) : "";
  const disabled = fixed !== undefined;
  const shown = Number(draft);
  return (
    <div className="knob" data-knob={name} data-state={state}>
      <label htmlFor={id}>{label}</label>
      <input
        type="range"
        aria-label={label}
        min={0}
        max={positions}
        value={positionOf(Number.isFinite(shown) ? shown : value, bounds)}
        aria-valuetext={`${draft} ${unit}`}
        disabled={disabled}
        onChange={(event) => propose(String(valueAt(Number(event.target.value), bounds)))}
      />
      <span className="knob-figure">
        <input
          id={id}
          type="number"
          min={bounds.min}
          max={bounds.max}
          step={bounds.whole === "whole" ? 1 : "any"}
          value={draft}
          disabled={disabled}
          aria-invalid={problem === undefined ? undefined : "true"}
          aria-describedby={`${id}-said`}
          onChange={(event) => propose(event.target.value)}
        />
        <span className="room-label">{unit}</span>
      </span>
      <span className="knob-state" title={words(state)} aria-hidden="true" />
      <p id={`${id}-said`} className={problem === undefined ? "knob-said sr-only" : "knob-said"} role="status">
        {problem ?? (fixed === undefined ? words(state) : words("fixed", { why: fixed }))}
      </p>
    </div>
  );
}

function useTurning({ name, value, bounds, onTurn }: Omit<KnobRowProps, "fixed">) {
  const words = useTranslations("ops.knobs");
  const [draft, setDraft] = useState(String(value));
  const [state, setState] = useState<State>("inForce");
  const [problem, setProblem] = useState<string>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const proposals = useRef(0);
  const undecided = useRef<number>(undefined);
  // A value confirmed while the hand is already further on must not pull it back.
  useEffect(() => {
    if (undecided.current !== undefined) return;
    setDraft(String(value));
    setState("inForce");
    setProblem(undefined);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const send = async (wanted: number, mine: number) => {
    setState("sending");
    const said = await onTurn(name, wanted);
    if (mine !== proposals.current) return;
    undecided.current = undefined;
    setProblem(said);
    setState(said === undefined ? "inForce" : "changed");
  };
  const propose = (text: string) => {
    proposals.current += 1;
    const mine = proposals.current;
    clearTimeout(timer.current);
    undecided.current = undefined;
    setDraft(text);
    setState("changed");
    const wanted = Number(text);
    if (text.trim() === "" || !Number.isFinite(wanted) || wanted < bounds.min || wanted > bounds.max) {
      return setProblem(words("range", { min: String(bounds.min), max: String(bounds.max) }));
    }
    if (bounds.whole === "whole" && !Number.isInteger(wanted)) return setProblem(words("whole"));
    setProblem(undefined);
    undecided.current = mine;
    timer.current = setTimeout(() => void send(wanted, mine), settleMs);
  };
  return { draft, state, problem, propose };
}

export function SwitchRow(props: {
  readonly name: "limitLoopback";
  readonly value: boolean;
  readonly onTurn: KnobOrder;
}) {
  const { name, value, onTurn } = props;
  const words = useTranslations("ops.knobs");
  const [problem, setProblem] = useState<string>();
  const turn = async (event: FormEvent<HTMLInputElement>) => {
    setProblem(await onTurn(name, event.currentTarget.checked));
  };
  return (
    <div className="knob" data-knob={name} data-state="inForce">
      <label className="knob-switch">
        <input type="checkbox" checked={value} onChange={(event) => void turn(event)} />
        {words(`${name}.name`)}
      </label>
      <span className="knob-state" aria-hidden="true" />
      <p className={problem === undefined ? "knob-said sr-only" : "knob-said"} role="status">
        {problem}
      </p>
    </div>
  );
}

"use client";
/**
 * The one wide button. It changes in place through all states; its height and width never do. It stays focusable in
 * every state, so that focus is not lost when it cannot be pressed.
 */
import Link from "next/link";
import { useEffect, useRef, useState } from "react";
import type { Description } from "./describe.ts";

export interface BuyButtonProps {
  readonly description: Description;
  /** Share of the queue that is already behind, 0 to 1; undefined where unknown. */
  readonly progress: number | undefined;
  readonly onBuy: () => void;
}

export function BuyButton({ description, progress, onBuy }: BuyButtonProps) {
  const { state, tone, label, figure, action } = description;
  const button = useEarlyPress(action.kind === "none" ? undefined : onBuy);
  const inside = (
    <>
      <span key={label} className="act-label act-swap">
        {label}
      </span>
      <span className="act-figure" aria-hidden={tone === "wait"}>
        {figure}
      </span>
      <Track state={state} progress={progress} tone={tone} />
    </>
  );
  const shared = { className: "act", "data-tone": tone, "data-state": state, "aria-describedby": "purchase-line" };
  if (action.kind === "go") {
    return (
      <Link href={action.href} prefetch={false} {...shared}>
        {inside}
      </Link>
    );
  }
  const idle = action.kind === "none";
  return (
    <button ref={button} type="button" {...shared} aria-disabled={idle} onClick={idle ? undefined : onBuy}>
      {inside}
    </button>
  );
}

/** Answers, once, a press that came before this script ran (see early-press.tsx). */
function useEarlyPress(onBuy: (() => void) | undefined) {
  const button = useRef<HTMLButtonElement>(null);
  const answer = useRef(onBuy);
  useEffect(() => {
    const element = button.current;
    if (element === null) return;
    element.dataset.ready = "";
    if (element.dataset.pressed === undefined) return;
    delete element.dataset.pressed;
    answer.current?.();
  }, []);
  return button;
}

function Track(props: {
  readonly state: Description["state"];
  readonly tone: string;
  readonly progress: number | undefined;
}) {
  if (props.state === "won") {
    return (
      <svg className="act-flat-line" aria-hidden="true">
        <rect width="100%" height="100%" />
      </svg>
    );
  }
  if (props.tone !== "wait") return null;
  const { progress } = props;
  return (
    <svg className="act-track" aria-hidden="true">
      {progress === undefined ? (
        <rect className="act-moving" width="25%" height="100%" />
      ) : (
        <rect width={`${Math.round(progress * 100)}%`} height="100%" />
      )}
    </svg>
  );
}

/** What of the queue is behind, measured from the first position seen. */
export function useProgress(position: number | undefined): number | undefined {
  const first = useRef<number | undefined>(undefined);
  const [progress, setProgress] = useState<number>();
  useEffect(() => {
    if (position === undefined) {
      first.current = undefined;
      setProgress(undefined);
      return;
    }
    first.current = Math.max(first.current ?? 0, position);
    setProgress(first.current === 0 ? undefined : 1 - position / first.current);
  }, [position]);
  return progress;
}

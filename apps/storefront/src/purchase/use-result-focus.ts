"use client";
/**
 * Takes the focus to a result, and says it once.
 *
 * What can go wrong: stealing the focus from somebody who went on to something else, and a live region that talks
 * without end. Focus moves only from the button itself or from nowhere; the queue is spoken of at most every 10 s.
 */
import { type RefObject, useEffect, useRef, useState } from "react";
import type { Description } from "./describe.ts";

const underWay: ReadonlySet<Description["state"]> = new Set<Description["state"]>(["submitting", "queued"]);
const speakQueueEveryMs = 10_000;

export function useResultFocus(description: Description): {
  readonly panel: RefObject<HTMLDivElement | null>;
  readonly spoken: string;
} {
  const panel = useRef<HTMLDivElement>(null);
  const before = useRef(description.state);
  const spokenAt = useRef(0);
  const [spoken, setSpoken] = useState("");
  const { state, announcement } = description;

  useEffect(() => {
    const changed = before.current !== state;
    const wasUnderWay = underWay.has(before.current);
    before.current = state;
    if (changed && wasUnderWay && !underWay.has(state)) {
      const active = document.activeElement;
      if (active === null || active === document.body || panel.current?.contains(active)) {
        panel.current?.focus({ preventScroll: false });
      }
    }
    const nowMs = performance.now();
    if (changed || (state === "queued" && nowMs - spokenAt.current > speakQueueEveryMs)) {
      spokenAt.current = nowMs;
      setSpoken(announcement);
    }
  }, [state, announcement]);
  return { panel, spoken };
}

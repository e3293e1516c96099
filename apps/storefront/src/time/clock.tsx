"use client";
import { useEffect, useState } from "react";
import { type Grain, isoDuration } from "../language/figures.ts";
import { useFigures } from "../language/words-in-browser.tsx";
import type { Moment } from "./moment.ts";
import { useServerNow } from "./use-server-now.ts";

/** The visitor's own time zone once the page lives; the server's while it is first drawn. */
export function useZone(moment: Moment): string | undefined {
  const [zone, setZone] = useState<string | undefined>(moment.timeZone);
  useEffect(() => setZone(undefined), []);
  return zone;
}

/** A moment on the visitor's clock. */
export function Clock(props: { readonly at: string; readonly grain: Grain; readonly moment: Moment }) {
  const zone = useZone(props.moment);
  const { clock } = useFigures();
  return <time dateTime={props.at}>{clock(props.at, props.grain, zone)}</time>;
}

/** Time left until a moment of server time. */
export function Countdown(props: { readonly to: string; readonly moment: Moment; readonly className?: string }) {
  const now = useServerNow(props.moment.renderedAtMs);
  const left = Date.parse(props.to) - now;
  const { countdown } = useFigures();
  return (
    <time className={props.className} role="timer" aria-live="off" dateTime={isoDuration(left)}>
      {countdown(left)}
    </time>
  );
}

"use client";
/** Server time as React state. One clock and one timer per page, whatever the number of countdowns. */
import { useEffect, useState } from "react";
import { call } from "../browser/api.ts";
import { createServerClock } from "./server-clock.ts";

/** Numbers change at most four times a second. */
const tickMs = 250;
const resynchroniseEveryMs = 5 * 60_000;

export const serverClock = createServerClock({
  monotonic: () => performance.now(),
  samples: 5,
  async askServer() {
    const reply = await call<{ epochMs: number }>("/api/time", { withinMs: 4_000 });
    return reply.kind === "ok" ? reply.body.epochMs : undefined;
  },
});

const listeners = new Set<() => void>();
let stopTicking: (() => void) | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  stopTicking ??= startTicking();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      stopTicking?.();
      stopTicking = undefined;
    }
  };
}

function startTicking(): () => void {
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const synchronise = () => void serverClock.synchronise().then(tell);
  const wake = () => {
    if (document.visibilityState === "visible") synchronise();
  };
  synchronise();
  const ticking = setInterval(tell, tickMs);
  const renewing = setInterval(synchronise, resynchroniseEveryMs);
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("pageshow", wake);
  window.addEventListener("online", wake);
  return () => {
    clearInterval(ticking);
    clearInterval(renewing);
    document.removeEventListener("visibilitychange", wake);
    window.removeEventListener("pageshow", wake);
    window.removeEventListener("online", wake);
  };
}

/** Server time in ms, renewed whenever `grain` ms have passed; at first exactly what the server rendered with. */
export function useServerNow(renderedAtMs: number, grain = 1_000): number {
  const [now, setNow] = useState(renderedAtMs);
  useEffect(() => {
    serverClock.seed(renderedAtMs);
    const follow = () => setNow(Math.floor(serverClock.now() / grain) * grain);
    follow();
    return subscribe(follow);
  }, [renderedAtMs, grain]);
  return now;
}

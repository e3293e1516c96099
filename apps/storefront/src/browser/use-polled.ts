"use client";
/**
 * A value from the gateway that stays fresh by gentle polling.
 *
 * What can go wrong: a crowd of open tabs would be a load test of its own, so hidden pages do not ask, and after a
 * failure the pause doubles up to 16 s; a value heard late never replaces one asked for later.
 */
import { useCallback, useEffect, useRef, useState } from "react";
import { call, type Reply } from "./api.ts";

const pauseMaxMs = 16_000;

export interface Polled<Body> {
  readonly value: Body;
  /** Asks at once. */
  readonly refresh: () => void;
  readonly set: (value: Body) => void;
}

/** `pauseMs` says how long to wait after a value; undefined stops asking. Give a stable function. */
export function usePolled<Body>(
  path: `/api/${string}`,
  initial: Body,
  pauseMs: (value: Body) => number | undefined,
  firstAsk: "after a pause" | "at once" = "after a pause",
): Polled<Body> {
  const [value, setValue] = useState(initial);
  const wakeRef = useRef<() => void>(() => undefined);

  useEffect(() => setValue(initial), [initial]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;
    let asked = 0;
    let failures = 0;
    let pause = pauseMs(initial);

    const plan = () => {
      clearTimeout(timer);
      if (stopped || pause === undefined || document.visibilityState === "hidden") return;
      timer = setTimeout(() => void ask(), pause * (0.9 + Math.random() * 0.2));
    };
    const ask = async () => {
      asked += 1;
      const mine = asked;
      const reply: Reply<Body> = await call<Body>(path, { withinMs: 8_000 });
      if (stopped || mine !== asked) return;
      if (reply.kind === "ok") {
        failures = 0;
        setValue(reply.body);
        pause = pauseMs(reply.body);
      } else {
        failures += 1;
        pause = Math.min(pauseMaxMs, 1_000 * 2 ** failures);
      }
      plan();
    };
    const wake = () => {
      if (document.visibilityState === "visible") void ask();
      else clearTimeout(timer);
    };
    wakeRef.current = () => void ask();
    if (firstAsk === "at once") void ask();
    else plan();
    document.addEventListener("visibilitychange", wake);
    window.addEventListener("online", wake);
    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", wake);
      window.removeEventListener("online", wake);
    };
  }, [path, initial, pauseMs, firstAsk]);

  const refresh = useCallback(() => wakeRef.current(), []);
  return { value, refresh, set: setValue };
}

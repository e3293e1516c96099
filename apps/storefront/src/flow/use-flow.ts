"use client";
/**
 * Seconds of the way of a purchase: first the gateway's history, then by server-sent events, by polling where they
 * fail. Kept while the visitor walks through the shop, so that the curve is there on return.
 */
import type { FlowSample } from "@plateau/domain/http";
import { useEffect, useState } from "react";
import { call } from "../browser/api.ts";
import { type Second, secondOf, withHistory, withSecond } from "./second.ts";

let kept: readonly Second[] = [];

export type FlowSource = "connecting" | "events" | "polling" | "lost";

interface Flow {
  readonly seconds: readonly Second[];
  /** The newest as the gateway told it. */
  readonly last: FlowSample | undefined;
  readonly source: FlowSource;
}

const streamFailuresMax = 2;
const pollMs = 1_000;

export function useFlow(history: readonly FlowSample[]): Flow {
  const [seconds, setSeconds] = useState<readonly Second[]>(() => history.map(secondOf));
  const [last, setLast] = useState(history.at(-1));
  const [source, setSource] = useState<FlowSource>("connecting");

  useEffect(() => {
    let stopped = false;
    let failures = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (next: readonly Second[]) => {
      if (stopped) return;
      kept = next;
      setSeconds(kept);
    };
    const hear = (sample: FlowSample) => {
      setLast(sample);
      show(withSecond(kept, secondOf(sample)));
    };
    const poll = async () => {
      const reply = await call<FlowSample>("/api/flow");
      if (stopped) return;
      setSource(reply.kind === "ok" ? "polling" : "lost");
      if (reply.kind === "ok") hear(reply.body);
      timer = setTimeout(() => void poll(), reply.kind === "ok" ? pollMs : 3 * pollMs);
    };
    show(withHistory(kept, history.map(secondOf)));
    const events = new EventSource("/api/flow/events");
    events.addEventListener("flow", (event) => {
      failures = 0;
      setSource("events");
      hear(JSON.parse(event.data as string) as FlowSample);
    });
    events.addEventListener("error", () => {
      failures += 1;
      if (events.readyState !== EventSource.CLOSED && failures < streamFailuresMax) return;
      events.close();
      void poll();
    });
    return () => {
      stopped = true;
      clearTimeout(timer);
      events.close();
    };
  }, [history]);
  return { seconds, last, source };
}

"use client";
/**
 * Samples of the way of a purchase: first the gateway's history, then by server-sent events, by polling where they
 * fail. Kept while the visitor walks through the shop, so that the curve is there on return.
 */
import type { FlowSample } from "@plateau/domain/http";
import { useEffect, useState } from "react";
import { call } from "../browser/api.ts";
import { withHistory, withSample } from "./samples.ts";

let kept: readonly FlowSample[] = [];

export type FlowSource = "connecting" | "events" | "polling" | "lost";

const streamFailuresMax = 2;
const pollMs = 1_000;

export function useFlow(history: readonly FlowSample[]): {
  readonly samples: readonly FlowSample[];
  readonly source: FlowSource;
} {
  const [samples, setSamples] = useState(history);
  const [source, setSource] = useState<FlowSource>("connecting");

  useEffect(() => {
    let stopped = false;
    let failures = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (next: readonly FlowSample[]) => {
      if (stopped) return;
      kept = next;
      setSamples(kept);
    };
    const poll = async () => {
      const reply = await call<FlowSample>("/api/flow");
      if (stopped) return;
      setSource(reply.kind === "ok" ? "polling" : "lost");
      if (reply.kind === "ok") show(withSample(kept, reply.body));
      timer = setTimeout(() => void poll(), reply.kind === "ok" ? pollMs : 3 * pollMs);
    };
    show(withHistory(kept, history));
    const events = new EventSource("/api/flow/events");
    events.addEventListener("flow", (event) => {
      failures = 0;
      setSource("events");
      show(withSample(kept, JSON.parse(event.data as string) as FlowSample));
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
  return { samples, source };
}

/** What the control room's API tells, as the charts read it. */
import type { ControlHistory, ControlSecond, Latency } from "@plateau/domain/control-room";
import { type Second, shedFrom } from "../flow/second.ts";

export function secondOfRoom(second: ControlSecond): Second {
  const { atMs, arrivals, admitted, shed, decided, backlog, latency } = second;
  return { atMs, arrivals, admitted, shed: shedFrom(shed), decided, backlog, latency };
}

/** Columns into rows, oldest first. */
export function secondsOfHistory(history: ControlHistory): Second[] {
  const at = (column: readonly number[] | undefined, index: number): number => column?.[index] ?? 0;
  const latencyAt = ({ p50, p95, p99 }: ControlHistory["latency"]["answer"], index: number): Latency => ({
    p50: p50[index] ?? null,
    p95: p95[index] ?? null,
    p99: p99[index] ?? null,
  });
  const reasons = Object.entries(history.shedBy);
  return history.atMs.map((atMs, index) => ({
    atMs,
    arrivals: at(history.arrivals, index),
    admitted: at(history.admitted, index),
    shed: shedFrom(Object.fromEntries(reasons.map(([reason, column]) => [reason, at(column, index)]))),
    decided: at(history.decided, index),
    backlog: at(history.backlog, index),
    latency: {
      enqueue: latencyAt(history.latency.enqueue, index),
      wait: latencyAt(history.latency.wait, index),
      answer: latencyAt(history.latency.answer, index),
    },
  }));
}

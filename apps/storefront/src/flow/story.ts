/**
 * The moment in one sentence: what is being asked, what is decided, who waits.
 *
 * What can go wrong: figures of a single second jump, so rates are means over three and written with two digits; a
 * sentence that changes its kind every second cannot be read, so a kind needs clear figures.
 */
import { type Second, shedInAll } from "./second.ts";

export type Story =
  | { readonly kind: "unknown" | "quiet" }
  | { readonly kind: "calm"; readonly arrivals: number; readonly answerMs: number | null }
  | {
      readonly kind: "peak" | "shedding";
      readonly arrivals: number;
      readonly decided: number;
      readonly shed: number;
      readonly backlog: number;
      readonly waitSeconds: number;
    }
  | {
      readonly kind: "draining";
      readonly decided: number;
      readonly backlog: number;
      readonly waitSeconds: number;
    }
  | { readonly kind: "sold-out"; readonly arrivals: number; readonly shed: number }
  | { readonly kind: "standstill"; readonly arrivals: number; readonly backlog: number };

const meanOver = 3;

export function storyOf(seconds: readonly Second[]): Story {
  const recent = seconds.slice(-meanOver);
  const last = recent.at(-1);
  if (last === undefined) return { kind: "unknown" };
  const mean = (of: (second: Second) => number) => recent.reduce((sum, s) => sum + of(s), 0) / recent.length;
  const arrivals = rounded(mean((s) => s.arrivals));
  const decided = rounded(mean((s) => s.decided));
  const shed = rounded(mean(shedInAll));
  const soldOut = mean((s) => s.shed["sold-out"]);
  const backlog = rounded(last.backlog);
  const waitSeconds = Math.max(1, Math.round(last.backlog / Math.max(decided, 1)));
  // What passes within a second is no queue.
  const queues = last.backlog > Math.max(20, decided / 2);
  if (queues && decided < 1) return { kind: "standstill", arrivals, backlog };
  if (queues && arrivals > decided * 1.2) {
    return {
      kind: shed - soldOut > arrivals / 20 ? "shedding" : "peak",
      arrivals,
      decided,
      shed,
      backlog,
      waitSeconds,
    };
  }
  if (queues) return { kind: "draining", decided, backlog, waitSeconds };
  if (arrivals >= 5 && soldOut > arrivals / 2) return { kind: "sold-out", arrivals, shed };
  if (arrivals > decided * 1.2 && shed > arrivals / 5) {
    return { kind: "shedding", arrivals, decided, shed, backlog, waitSeconds };
  }
  if (arrivals < 1) return { kind: "quiet" };
  return { kind: "calm", arrivals, answerMs: last.latency.answer.p50 };
}

/** Two digits that count: 3,214 → 3,200. */
export function rounded(value: number): number {
  if (value < 10) return Math.round(value);
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Math.round(value / unit) * unit;
}

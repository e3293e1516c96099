/**
 * What the one consuming member should have in hand: per partition the messages from its committed offset on, in
 * lines by key, each waiting, held, running or through.
 */
import type { Outcome } from "../../src/index.ts";
import { type Job, type Logged, partitions } from "./workload.ts";

export const retryAfterMs = 700;
export const pauseAfterMs = 300;
export const maxAttempts = 3;

interface Entry {
  readonly offset: number;
  readonly n: number;
  readonly key: string;
  deliveries: number;
  heldUntilMs: number;
  state: "waiting" | "running" | "through";
}

interface Window {
  entries: Entry[];
  next: number;
  pausedUntilMs: number;
}

/** What was told about the log so far, and where to note what was met. */
interface Told {
  readonly nowMs: number;
  readonly logs: readonly (readonly Logged[])[];
  job(n: number): Job;
  deadlineMs(n: number): number;
  count(what: string): void;
}

export class WindowModel {
  readonly committed: number[] = Array(partitions).fill(0);
  readonly #model: Told;
  readonly #windows = new Map<number, Window>();

  /** How many messages are with the handler. */
  running = 0;

  constructor(model: Told) {
    this.#model = model;
  }

  /** The member owns these partitions now; one that it did not own before begins at what is committed there. */
  own(owned: readonly number[]): void {
    for (const partition of this.#windows.keys()) if (!owned.includes(partition)) this.#windows.delete(partition);
    for (const partition of owned) {
      if (this.#windows.has(partition)) continue;
      this.#model.count("take-over");
      this.#windows.set(partition, { entries: [], next: this.committed[partition] ?? 0, pausedUntilMs: 0 });
    }
  }

  /** What should be with the handler now: "partition/offset#attempt". */
  step(): string[] {
    const running: string[] = [];
    for (const [partition, window] of this.#windows) {
      this.#read(partition, window);
      if (window.pausedUntilMs <= this.#model.nowMs) this.#dispatch(window);
      this.#moveHead(partition, window);
      for (const { state, offset, deliveries } of window.entries) {
        if (state === "running") running.push(`${partition}/${offset}#${deliveries}`);
      }
    }
    this.running = running.length;
    return running.sort();
  }

  /** The message's number where it goes to the dead letters. */
  answer(partition: number, offset: number, outcome: Outcome | "throw"): number | undefined {
    const window = this.#windows.get(partition);
    const entry = window?.entries.find((candidate) => candidate.offset === offset && candidate.state === "running");
    if (window === undefined || entry === undefined) throw new Error(`${partition}/${offset} is not with the handler`);
    const kind = outcome === "throw" ? "throw" : outcome.kind;
    entry.state = "waiting";
    if (kind === "pause") {
      entry.deliveries--;
      if (window.pausedUntilMs <= this.#model.nowMs) window.pausedUntilMs = this.#model.nowMs + pauseAfterMs;
      return undefined;
    }
    const isLast = entry.deliveries >= maxAttempts && kind !== "done";
    if (isLast) this.#model.count("last attempt");
    if (kind === "done" || kind === "dead" || isLast) {
      entry.state = "through";
      return kind === "done" ? undefined : entry.n;
    }
    const waitMs = kind === "retry" ? retryAfterMs : 50 * 2 ** (entry.deliveries - 1);
    entry.heldUntilMs = this.#model.nowMs + waitMs;
    return undefined;
  }

  #read(partition: number, window: Window): void {
    const log = this.#model.logs[partition] ?? [];
    for (; window.next < log.length; window.next++) {
      const logged = log[window.next];
      if (logged === undefined) return;
      const { n, forGroup } = logged;
      const isOurs = forGroup === undefined || forGroup === "workers";
      window.entries.push({
        offset: window.next,
        n,
        key: this.#model.job(n).key,
        deliveries: 0,
        heldUntilMs: 0,
        state: isOurs ? "waiting" : "through",
      });
    }
  }

  #dispatch(window: Window): void {
    const { nowMs } = this.#model;
    const blocked = new Set<string>();
    for (const entry of window.entries) {
      if (entry.state === "through" || blocked.has(entry.key)) continue;
      if (entry.state === "waiting" && entry.heldUntilMs <= nowMs) {
        if (this.#model.deadlineMs(entry.n) <= nowMs) {
          this.#model.count("expired");
          entry.state = "through";
          continue;
        }
        entry.state = "running";
        entry.deliveries++;
      }
      blocked.add(entry.key);
    }
  }

  #moveHead(partition: number, window: Window): void {
    while (window.entries[0]?.state === "through") window.entries.shift();
    this.committed[partition] = window.entries[0]?.offset ?? window.next;
  }
}

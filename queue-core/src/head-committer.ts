/**
 * Commits how far a consumer got: the head of its window, and the dead letters that were left behind it.
 *
 *   head moved, message buried ──► commit ──stored──► head moved meanwhile? ──yes──► commit …
 *                                    └──refused: wait, and again──┘
 *
 * What can go wrong:
 * - One sync per message would be slow: one commit runs at a time, and heads that move meanwhile gather for the next.
 * - A head that moves in the step in which the last commit ends must not be overlooked: "nothing left" and "no commit
 *   runs" become true in the same step.
 * - Storage refuses for a while: it is tried again with a growing wait. While the member stops time is short: after
 *   three failures the rest is left to the next owner, which "at least once" allows.
 * - Storage refuses a dead letter for good (too large): no commit of the partition would ever succeed again. It is
 *   stored without its bytes, which names where they lie.
 * - Many die at once: a commit carries 64 of them, 64 MiB at the most, and the offset moves with the last of them.
 * - The partition has a newer owner: nothing more is committed, and `ended` is told so.
 */
import { backoffMs } from "./backoff.ts";
import { withoutBytes } from "./dead-letters.ts";
import type { Lease, PartitionRef, StateWrite } from "./engine.ts";
import { QueueError } from "./errors.ts";
import { hasCode, isEngineEnd, type QueueContext } from "./queue-context.ts";
import { Waker } from "./waker.ts";

const backoffRange = { firstMs: 10, longestMs: 2_000 };
const triesWhileStopping = 3;
const lettersPerCommit = 64;

export class HeadCommitter {
  readonly #context: QueueContext;
  readonly #lease: Lease;
  readonly #ref: PartitionRef;
  readonly #head: () => number;
  readonly #ended: (why: "fenced" | "engine") => void;
  readonly #waker: Waker;
  #mode: "running" | "stopping" | "ended" = "running";
  #committed = 0;
  #deadLetters: StateWrite[] = [];
  #committing: Promise<void> | undefined;

  constructor(context: QueueContext, lease: Lease, head: () => number, ended: (why: "fenced" | "engine") => void) {
    const { group, topic, partition } = lease;
    this.#context = context;
    this.#lease = lease;
    this.#ref = { group, topic, partition };
    this.#head = head;
    this.#ended = ended;
    this.#waker = new Waker(context.timers);
  }

  /** What the engine knows as committed when the partition is taken over. */
  startAt(committed: number): void {
    this.#committed = committed;
  }

  /** A dead letter, stored before or with the commit that moves the offset past its message. */
  add(deadLetter: StateWrite): void {
    this.#deadLetters.push(deadLetter);
  }

  /** From now on it gives up after a few failures. */
  stopping(): void {
    if (this.#mode === "running") this.#mode = "stopping";
  }

  /** Commits nothing more. */
  end(): void {
    this.#mode = "ended";
    this.#waker.wake();
  }

  /** Resolves once the engine knows the head and the dead letters, or nothing more is to be done. Never rejects. */
  commit(): Promise<void> {
    if (this.#committing === undefined && this.#mode !== "ended" && this.#hasToCommit()) {
      this.#committing = this.#commitUntilHead();
    }
    return this.#committing ?? Promise.resolve();
  }

  #hasToCommit(): boolean {
    return this.#head() > this.#committed || this.#deadLetters.length > 0;
  }

  async #commitUntilHead(): Promise<void> {
    let failures = 0;
    try {
      while (this.#mode !== "ended" && this.#hasToCommit()) {
        if (await this.#commitOnce()) failures = 0;
        else failures++;
        if (failures > triesWhileStopping && this.#mode === "stopping") return;
        if (failures === 0) continue;
        const waitMs = backoffMs(failures, backoffRange, this.#context.random);
        await this.#waker.sleep(waitMs, () => this.#mode === "ended");
      }
    } finally {
      this.#committing = undefined;
    }
  }

  /** False where it is worth trying again. */
  async #commitOnce(): Promise<boolean> {
    const put = this.#deadLetters.splice(0, lettersPerCommit);
    // A letter left for the next commit may be that of a message before the head.
    const to = this.#deadLetters.length === 0 ? this.#head() : this.#committed;
    const advance = to > this.#committed ? { advance: { ...this.#ref, to } } : {};
    try {
      await this.#context.engine.commit({ fence: this.#lease, ...advance, ...(put.length === 0 ? {} : { put }) });
      this.#context.advances.count++;
      this.#committed = Math.max(this.#committed, to);
      return true;
    } catch (error) {
      const letters = isRefusedForGood(error) ? put.map((letter) => withoutBytes(letter, this.#ref.topic)) : put;
      this.#deadLetters = [...letters, ...this.#deadLetters];
      if (hasCode(error, "FENCED")) this.#ended("fenced");
      else if (isEngineEnd(error)) this.#ended("engine");
      else this.#context.report(`consume ${this.#ref.group} on ${this.#ref.topic}/${this.#ref.partition}`, error);
      return false;
    }
  }
}

function isRefusedForGood(error: unknown): boolean {
  return error instanceof QueueError && error.outcome === "not_stored" && !error.retryable;
}

/**
 * Who may commit while the disk is full.
 *
 *     serving ──a batch found no room──► full ──a refusal, 500 ms after the last look──► looking
 *        ▲                               ▲ ◄──────────────────there is none──────────────────┤
 *        └────────────────────────there is room for the reserve, which is back───────────────┘
 *
 * What can go wrong: publishes that fill the disk would stop those who drain it, and each refused one that tried
 * the disk would slow them down; an acknowledgement would be refused because it shared a batch with somebody
 * else's publish; a commit that was let through again might rest on one that was not.
 * Promises: outside `serving` nothing that appends is let through, and without a fence nothing that writes state;
 * what is left only moves offsets and the state of an owner, and lives on the room that the reserve gave up. The
 * disk is looked at upon a refusal alone. A batch without room is sifted: an owner's commits go through again in
 * their order, up to the first of that owner that cannot; those without an owner never do, since an empty one is
 * how somebody asks whether an earlier one was stored.
 */
import type { Commit, PartitionRef } from "../../../engine.ts";
import { QueueError } from "../../../errors.ts";

/** Between two looks; also what the refused are told to wait. */
const lookEveryMs = 500;

export class Admission {
  readonly #look: () => void;
  #mode: "serving" | "full" | "looking";
  #reason: string;
  #nextLookMs = Number.NEGATIVE_INFINITY;

  /** @param look asks for the reserve to be made; its answer comes to `looked`. */
  constructor(begin: { readonly mode: "serving" | "full"; readonly look: () => void }) {
    this.#mode = begin.mode;
    this.#look = begin.look;
    this.#reason = "the disk was full when the log was opened";
  }

  get isServing(): boolean {
    return this.#mode === "serving";
  }

  admits(commit: Commit): boolean {
    return this.#mode === "serving" || drains(commit);
  }

  /** For what is not admitted; looks at the disk when it is time. */
  refuse(nowMs: number): QueueError {
    if (this.#mode === "full" && nowMs >= this.#nextLookMs) {
      this.#mode = "looking";
      this.#nextLookMs = nowMs + lookEveryMs;
      this.#look();
    }
    return this.refusal();
  }

  refusal(): QueueError {
    return new QueueError("STORAGE_FULL", this.#reason, { retryAfterMs: lookEveryMs });
  }

  foundFull(reason: string, nowMs: number): void {
    this.#reason = reason;
    if (this.#mode !== "serving") return;
    this.#mode = "full";
    this.#nextLookMs = nowMs + lookEveryMs;
  }

  looked(hasRoom: boolean): void {
    if (this.#mode !== "looking") throw new Error(`looked while ${this.#mode}`);
    this.#mode = hasRoom ? "serving" : "full";
  }
}

/** Of commits whose batch found no room, in order: which may be tried again, and which are refused. */
export function sift<C extends { readonly reservation: { readonly commit: Commit } }>(
  takenBack: readonly C[],
): { readonly again: readonly C[]; readonly refused: readonly C[] } {
  const again: C[] = [];
  const refused: C[] = [];
  const broken = new Set<string>();
  for (const each of takenBack) {
    const { commit } = each.reservation;
    const { fence } = commit;
    const owner = fence === undefined ? undefined : idOf(fence);
    if (owner !== undefined && !broken.has(owner) && drains(commit)) {
      again.push(each);
      continue;
    }
    refused.push(each);
    if (owner !== undefined) broken.add(owner);
  }
  return { again, refused };
}

function drains({ fence, put, append }: Commit): boolean {
  return (
    (append === undefined || append.length === 0) && (fence !== undefined || put === undefined || put.length === 0)
  );
}

function idOf({ group, topic, partition }: PartitionRef): string {
  return `${partition}\u0000${topic}\u0000${group}`;
}

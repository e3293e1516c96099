/**
 * The oracle of the engine: what the log must hold, folded from the commits that went into it.
 *
 *     called ──► under way (in the order of the calls) ──acknowledged──► folded, in order of their sequences
 *                      │ └──refused, "not stored"──► forgotten
 *                      └──the machine died, or the outcome is unknown──► uncertain
 *
 * After a start the log must equal the fold of every acknowledged commit and of the first k of the uncertain ones, for
 * some k: a commit is there whole or not at all, none is missing before one that is there, nothing else is there.
 *
 * Also checked at each acknowledgement: sequences grow, offsets are consecutive, committed offsets never go back, the
 * epochs of a partition's fences never go back (a stale owner's commit took no effect), and a log that failed a write
 * or a sync acknowledges nothing more.
 */
import type { Commit, CommitReceipt, Engine } from "../src/engine.ts";
import { QueueError } from "../src/errors.ts";
import { EngineContent, type HeldMessage } from "./engine-content.ts";
import { passedOn } from "./passed-on.ts";
import type { World } from "./world.ts";

interface Called {
  readonly commit: Commit;
}

export type Difference =
  | { readonly kind: "lost"; readonly detail: string }
  | { readonly kind: "unreadable"; readonly detail: string };

export class CommitHistory {
  readonly #world: World;
  readonly #content = new EngineContent();
  readonly #epochs = new Map<string, number>();
  readonly #listeners: ((commit: Commit) => void)[] = [];
  readonly #refusalListeners: ((commit: Commit, error: unknown) => void)[] = [];
  #underWay = new Set<Called>();
  #uncertain: Called[] = [];
  #lastSequence = -1;
  #acknowledged = 0;
  #isPoisoned = false;

  constructor(world: World) {
    this.#world = world;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** What the log holds at least: everything that was acknowledged, or found after a start. */
  get content(): EngineContent {
    return this.#content;
  }

  messages(topic: string, partition: number): ReadonlyMap<number, HeldMessage> {
    return this.#content.messages(topic, partition);
  }

  /** Calls the listener before each commit, whatever becomes of it. */
  onCommit(listener: (commit: Commit) => void): void {
    this.#listeners.push(listener);
  }

  /** Calls the listener when a commit was refused or failed. */
  onRefusal(listener: (commit: Commit, error: unknown) => void): void {
    this.#refusalListeners.push(listener);
  }

  /** The engine, with every commit noted here. */
  recording(engine: Engine): Engine {
    return passedOn(engine, { commit: (commit) => this.#record(engine, commit) });
  }

  crashed(): void {
    this.#uncertain.push(...this.#underWay);
    this.#underWay = new Set();
  }

  poisoned(): void {
    this.#isPoisoned = true;
  }

  /** Compares the log, right after it was opened, with what it must hold; undefined when it does. */
  async recovered(engine: Engine): Promise<Difference | undefined> {
    // Kept until it is known what became of them: the machine may die again before.
    const uncertain = this.#uncertain;
    this.#isPoisoned = false;
    this.#lastSequence = -1;
    const differences: string[] = [];
    let found: EngineContent;
    try {
      found = await EngineContent.of(engine, this.#content.places(uncertain.map(({ commit }) => commit)));
    } catch (error) {
      const isDamage = error instanceof QueueError && error.code === "CORRUPT";
      return { kind: isDamage ? "lost" : "unreadable", detail: `reading the log: ${String(error)}` };
    }
    for (const [index, { commit }] of [undefined, ...uncertain].map((called) => called ?? { commit: {} }).entries()) {
      if (index > 0) this.#content.apply(commit, undefined);
      const difference = this.#content.differenceFrom(found, engine.now());
      if (difference === undefined) {
        this.#world.note("recovered", `with ${index} of ${uncertain.length} uncertain commits`);
        this.#content.adopt(found);
        this.#uncertain = [];
        return undefined;
      }
      differences.push(difference);
    }
    const detail = `with 0 of ${uncertain.length} uncertain commits: ${differences[0]}; with all: ${differences.at(-1)}`;
    return { kind: "lost", detail };
  }

  #record(engine: Engine, commit: Commit): Promise<CommitReceipt> {
    const called: Called = { commit };
    for (const listener of this.#listeners) listener(commit);
    this.#underWay.add(called);
    this.#world.remark("commit asked", () => summaryOf(commit));
    const asked = engine.commit(commit);
    return asked.then(
      (receipt) => {
        // Not under way any more: the machine died first, and nobody hears this.
        if (this.#underWay.delete(called)) this.#acknowledge(commit, receipt);
        return receipt;
      },
      (error: unknown) => {
        this.#world.remark("commit failed", () => `${String(error)}: ${summaryOf(commit)}`);
        if (this.#underWay.delete(called)) {
          if (!isNotStored(error)) this.#uncertain.push(called);
          for (const listener of this.#refusalListeners) listener(commit, error);
        }
        throw error;
      },
    );
  }

  #acknowledge(commit: Commit, receipt: CommitReceipt): void {
    const world = this.#world;
    this.#acknowledged++;
    world.note("commit", `${receipt.sequence} at ${receipt.timeMs}, offsets ${receipt.offsets.join(" ")}`);
    world.remark("committed", () => summaryOf(commit));
    if (this.#isPoisoned) world.fail("a failed log acknowledges nothing", `commit ${receipt.sequence}`);
    if (receipt.sequence <= this.#lastSequence)
      world.fail("sequences grow", `${receipt.sequence} was acknowledged after ${this.#lastSequence}`);
    this.#lastSequence = receipt.sequence;
    this.#checkFence(commit);
    const wrong = this.#content.apply(commit, receipt);
    if (wrong !== undefined) world.fail(wrong.rule, wrong.detail);
  }

  #checkFence({ fence }: Commit): void {
    if (fence === undefined) return;
    const place = `${fence.group} on ${fence.topic}/${fence.partition}`;
    const newest = this.#epochs.get(place) ?? 0;
    if (fence.epoch < newest)
      this.#world.fail("a stale owner's commit takes no effect", `${place}: epoch ${fence.epoch} after ${newest}`);
    this.#epochs.set(place, Math.max(newest, fence.epoch));
  }
}

function isNotStored(error: unknown): boolean {
  return error instanceof QueueError && error.outcome === "not_stored";
}

function summaryOf({ fence, advance, expect = [], put = [], append = [] }: Commit): string {
  const parts = [
    ...(fence === undefined ? [] : [`by ${fence.member} in epoch ${fence.epoch}`]),
    ...(advance === undefined ? [] : [`${advance.group} ${advance.topic}/${advance.partition} to ${advance.to}`]),
    ...expect.map(({ namespace, key, is }) => `${namespace} ${key} ${is}?`),
    ...put.map(({ namespace, key, value }) => `${namespace} ${key} ${value === null ? "deleted" : "put"}`),
    ...append.map(({ topic, partition, value }) => `${topic}/${partition} ${value.toString()}`),
  ];
  return parts.join("; ");
}

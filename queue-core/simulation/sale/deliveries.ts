/**
 * The oracle of `consume`: what each group was handed, and what it answered.
 *
 * Checked at each delivery: the message is the one that the log holds at that offset; those before it with the same
 * key have been settled (done or dead), or need no work; its deadline is not over; it is not for another group.
 * Checked at each commit of such a group: everything before the new offset has been settled or needs no work.
 * Checked at the end: nothing was passed over.
 */
import type { Commit } from "../../src/engine.ts";
import type { Message, Outcome } from "../../src/queue.ts";
import type { CommitHistory } from "../commit-history.ts";
import type { HeldMessage } from "../engine-content.ts";
import type { World } from "../world.ts";

/** How a group ended its work on one offset; both where a stale owner and the next one answered differently. */
export interface Settled {
  isDone: boolean;
  isDead: boolean;
}

export interface ConsumerRules {
  readonly group: string;
  readonly topic: string;
  readonly maxAttempts: number;
  /** A group that keeps its own offset takes a whole partition in order. */
  readonly order: "of keys" | "of partitions";
}

const redriveHeader = "queue-core.redrive";

/** True where the group has no work with the message. */
export function needsNoWork(message: HeldMessage, group: string, nowMs: number): boolean {
  const forGroup = message.headers.ext?.[redriveHeader];
  if (forGroup !== undefined && forGroup !== group) return true;
  if ((message.headers.deadlineMs ?? Number.POSITIVE_INFINITY) <= nowMs) return true;
  return isBroken(message);
}

/** Cannot be decoded: it goes to the dead letters without a handler. */
export function isBroken(message: HeldMessage): boolean {
  return message.value.includes('"broken":true');
}

export function redrivenFor(message: HeldMessage): string | undefined {
  return message.headers.ext?.[redriveHeader];
}

export class Deliveries {
  readonly #world: World;
  readonly #history: CommitHistory;
  readonly #rules = new Map<string, ConsumerRules>();
  readonly #settled = new Map<string, Map<number, Settled>>();
  /** Up to where each group's offsets have been checked. */
  readonly #checkedTo = new Map<string, number>();
  #delivered = 0;
  #redelivered = 0;

  constructor(world: World, history: CommitHistory) {
    this.#world = world;
    this.#history = history;
  }

  get counts(): { readonly delivered: number; readonly redelivered: number } {
    return { delivered: this.#delivered, redelivered: this.#redelivered };
  }

  addGroup(rules: ConsumerRules): void {
    this.#rules.set(`${rules.group} ${rules.topic}`, rules);
  }

  settled(group: string, topic: string, partition: number): ReadonlyMap<number, Settled> {
    return this.#of(group, topic, partition);
  }

  /** When a handler is called. */
  handed(group: string, batch: readonly Message<unknown>[], nowMs: number): void {
    const first = batch[0] as Message<unknown>;
    const rules = this.#rules.get(`${group} ${first.topic}`) as ConsumerRules;
    const log = this.#history.messages(first.topic, first.partition);
    const settled = this.#of(group, first.topic, first.partition);
    const inBatch = new Set<number>();
    this.#world.note(
      "handed",
      `${group} ${first.topic}/${first.partition} ${batch.map(({ offset }) => offset).join(" ")}`,
    );
    for (const message of batch) {
      this.#delivered++;
      const place = `${group} was handed ${message.topic}/${message.partition} ${message.offset}`;
      const held = log.get(message.offset);
      if (held === undefined || JSON.stringify(message.value) !== held.value.toString()) {
        this.#world.fail("delivered is what was stored", `${place}: ${JSON.stringify(message.value)}`);
        return;
      }
      if (settled.has(message.offset)) this.#redelivered++;
      if (needsNoWork(held, group, nowMs)) this.#world.fail("work that nobody wants is not done", place);
      const before = this.#before(log, message, rules);
      for (const [offset, earlier] of before) {
        if (inBatch.has(offset) || settled.has(offset) || needsNoWork(earlier, group, nowMs)) continue;
        this.#world.fail("order per key", `${place} while ${offset} of the same key is not settled`);
      }
      inBatch.add(message.offset);
    }
  }

  /** When a handler has answered; a message behind one of its key that stays is delivered again. */
  answered(group: string, batch: readonly Message<unknown>[], outcomes: readonly Outcome[]): void {
    const first = batch[0] as Message<unknown>;
    const rules = this.#rules.get(`${group} ${first.topic}`) as ConsumerRules;
    const settled = this.#of(group, first.topic, first.partition);
    const staying = new Set<string>();
    this.#world.remark("answered", () => {
      const answers = outcomes.map(({ kind }, index) => `${batch[index]?.offset} (${batch[index]?.attempt}) ${kind}`);
      return `${group} ${first.topic}/${first.partition}: ${answers.join(", ")}`;
    });
    for (const [index, message] of batch.entries()) {
      const line = rules.order === "of keys" ? message.key : "";
      const outcome = outcomes[index] as Outcome;
      const isDead = outcome.kind === "dead" || (outcome.kind === "retry" && message.attempt >= rules.maxAttempts);
      if (staying.has(line) || !(isDead || outcome.kind === "done")) {
        staying.add(line);
        continue;
      }
      const known = settled.get(message.offset) ?? { isDone: false, isDead: false };
      if (isDead) known.isDead = true;
      else known.isDone = true;
      settled.set(message.offset, known);
    }
  }

  /** When a commit is asked for. */
  committing(commit: Commit, nowMs: number): void {
    const { advance } = commit;
    if (advance === undefined || !this.#rules.has(`${advance.group} ${advance.topic}`)) return;
    this.#checkSettled(advance.group, advance.topic, advance.partition, advance.to, nowMs);
  }

  /** At the end, when every group has caught up. */
  checkComplete(nowMs: number, partitionsOf: (topic: string) => number): void {
    for (const { group, topic } of this.#rules.values()) {
      for (let partition = 0; partition < partitionsOf(topic); partition++) {
        const end = this.#history.messages(topic, partition).size;
        this.#checkSettled(group, topic, partition, end, nowMs);
      }
    }
  }

  #checkSettled(group: string, topic: string, partition: number, end: number, nowMs: number): void {
    const settled = this.#of(group, topic, partition);
    const log = this.#history.messages(topic, partition);
    const place = `${group} ${topic}/${partition}`;
    const from = this.#checkedTo.get(place) ?? 0;
    this.#checkedTo.set(place, Math.max(from, end));
    for (let offset = from; offset < end; offset++) {
      const message = log.get(offset);
      if (settled.has(offset) || message === undefined || needsNoWork(message, group, nowMs)) continue;
      const what = `${group} goes to ${end} of ${topic}/${partition}, and has not settled ${offset}`;
      this.#world.fail("committed offsets pass nothing unhandled", what);
      return;
    }
  }

  /** The nearest message before it that it has to wait for. */
  #before(
    log: ReadonlyMap<number, HeldMessage>,
    message: Message<unknown>,
    { order }: ConsumerRules,
  ): readonly [number, HeldMessage][] {
    for (let offset = message.offset - 1; offset >= 0; offset--) {
      const earlier = log.get(offset);
      if (earlier !== undefined && (order === "of partitions" || earlier.key === message.key))
        return [[offset, earlier]];
    }
    return [];
  }

  #of(group: string, topic: string, partition: number): Map<number, Settled> {
    const place = `${group} ${topic}/${partition}`;
    let settled = this.#settled.get(place);
    if (settled === undefined) {
      settled = new Map();
      this.#settled.set(place, settled);
    }
    return settled;
  }
}

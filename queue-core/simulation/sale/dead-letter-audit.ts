/**
 * The oracle of dead letters: what a group gave up on is in its dead letters, or was redriven, once each.
 *
 * What can go wrong: a stale owner and the next one may disagree about a message (done, dead); one of them counts, and
 * only the log knows which. Where all that were asked agree, the count is exact.
 */
import { deadLetterNamespace, delayNamespace } from "../../src/namespaces.ts";
import { unpackMessage } from "../../src/packed-message.ts";
import type { CommitHistory } from "../commit-history.ts";
import type { HeldMessage } from "../engine-content.ts";
import type { World } from "../world.ts";
import { type Deliveries, isBroken, redrivenFor } from "./deliveries.ts";
import { consumers, halfGroup } from "./shop-process.ts";
import {
  type AnyTopic,
  commands,
  events,
  notes,
  type PurchaseRequest,
  requests,
  type SaleEvent,
  topics,
} from "./topics.ts";

/** How often the message at an offset was given up, at least and at most. */
type Verdict = { readonly least: 0 | 1; readonly most: 0 | 1 };
type Judge = (message: HeldMessage, partition: number, offset: number) => Verdict;

const never: Verdict = { least: 0, most: 0 };
const once: Verdict = { least: 1, most: 1 };
const perhaps: Verdict = { least: 0, most: 1 };

/** Uids of half messages that check-backs gave up on. */
export function buriedHalves(history: CommitHistory): ReadonlySet<string> {
  const buried = lettersOf(history, halfGroup, notes);
  return new Set(buried.map((value) => (JSON.parse(value) as { uid: string }).uid));
}

/** Resolves with how many there were, redriven ones included. */
export function auditDeadLetters(world: World, history: CommitHistory, deliveries: Deliveries): number {
  let count = 0;
  for (const { group, topic } of consumers) {
    count += checkGroup(world, history, group, topic, (message, partition, offset) => {
      if (isBroken(message)) return once;
      const settled = deliveries.settled(group, topic.name, partition).get(offset);
      if (settled?.isDead !== true) return never;
      // Where the commit was lost, the message may have come again after its deadline, and was passed by.
      return settled.isDone || message.headers.deadlineMs !== undefined ? perhaps : once;
    });
  }
  count += checkGroup(world, history, "risk", requests, (message) => {
    const { poison } = JSON.parse(message.value.toString()) as PurchaseRequest;
    return isBroken(message) || poison === "risk" ? once : never;
  });
  const poisoned = poisonedCommands(history);
  count += checkGroup(world, history, "stock", commands, (_message, partition, offset) =>
    poisoned.has(`${partition}/${offset}`) ? once : never,
  );
  for (const { name, partitions } of topics) {
    if (history.content.keys(deadLetterNamespace("$delay", name)).length > 0)
      world.fail("a delayed message can always be moved", name);
    for (let partition = 0; partition < partitions; partition++) {
      if (history.content.keys(delayNamespace(name, partition)).length > 0)
        world.fail("nothing stays delayed for ever", `${name}/${partition}`);
    }
  }
  return count;
}

function checkGroup(world: World, history: CommitHistory, group: string, topic: AnyTopic, judge: Judge): number {
  const bounds = new Map<string, { least: number; most: number; copies: number }>();
  const of = (value: string) => {
    const known = bounds.get(value) ?? { least: 0, most: 0, copies: 0 };
    bounds.set(value, known);
    return known;
  };
  for (let partition = 0; partition < topic.partitions; partition++) {
    for (const [offset, message] of history.messages(topic.name, partition)) {
      const redriven = redrivenFor(message);
      if (redriven !== undefined && redriven !== group) continue;
      const bound = of(message.value.toString());
      const { least, most } = judge(message, partition, offset);
      bound.least += least;
      bound.most += most;
      if (redriven !== group) continue;
      bound.copies++;
      // A letter redriven before the committed offset passed its message: the next owner meets the message again.
      bound.most++;
    }
  }
  let count = 0;
  for (const value of lettersOf(history, group, topic)) of(value).copies++;
  for (const [value, { least, most, copies }] of bounds) {
    count += copies;
    const what = `${group} on ${topic.name}: ${value} was given up ${least} to ${most} times, and is there ${copies} times`;
    if (copies < least) world.fail("no dead letter is lost", what);
    if (copies > most) world.fail("no dead letter is doubled", what);
  }
  return count;
}

function lettersOf(history: CommitHistory, group: string, topic: AnyTopic): readonly string[] {
  const namespace = deadLetterNamespace(group, topic.name);
  return history.content
    .keys(namespace)
    .map((key) => unpackMessage(history.content.entry(namespace, key) as Buffer).value.toString());
}

function poisonedCommands(history: CommitHistory): ReadonlySet<string> {
  const poisoned = new Set<string>();
  for (let partition = 0; partition < events.partitions; partition++) {
    for (const message of history.messages(events.name, partition).values()) {
      const { kind, answer, cause } = JSON.parse(message.value.toString()) as SaleEvent;
      if (kind === "refused" && answer?.decision === "poisoned") poisoned.add(`${cause.partition}/${cause.offset}`);
    }
  }
  return poisoned;
}

/**
 * The names under which queue-core files things in an engine.
 *
 * What can go wrong: two mechanisms that share a namespace would overwrite each other. Names of groups and topics
 * therefore contain neither "/" nor "$", and what queue-core keeps for itself starts with "$".
 */
import type { Namespace } from "./engine.ts";
import { QueueError } from "./errors.ts";

/** Entries that the `process` group keeps for that partition of its topic. */
export const stateNamespace = (group: string, topic: string, partition: number): Namespace =>
  `${group}/${topic}/${partition}`;

/** Delayed messages of a partition; key: due time (15 digits) and a unique id. */
export const delayNamespace = (topic: string, partition: number): Namespace => `$delay/${topic}/${partition}`;

/** Message ids seen within the deduplication window. */
export const seenNamespace = (topic: string, partition: number): Namespace => `$seen/${topic}/${partition}`;

/** The groups that read a topic; key: the group's name. */
export const groupsNamespace = (topic: string): Namespace => `$groups/${topic}`;

/** Dead letters of a group on a topic; key: partition and offset, or the id of a half message. */
export const deadLetterNamespace = (group: string, topic: string): Namespace => `$dead/${group}/${topic}`;

/** Delayed messages that could never be moved are filed under this name instead of a group's. */
export const delayGroup = "$delay";

/** Half messages that wait for their sender's word; key: time stored (15 digits) and id. */
export const halfNamespace = (group: string, topic: string): Namespace => `$half/${group}/${topic}`;

/** The groups that send half messages to a topic; key: the group's name. */
export const sendersNamespace = (topic: string): Namespace => `$senders/${topic}`;

/** Ids of half messages that were rolled back, for as long as a late commit may come. */
export const rolledBackNamespace = (group: string, topic: string): Namespace => `$half-rolled-back/${group}/${topic}`;

/** The rate of a shared token bucket that is in force. */
export const tokensNamespace = (bucket: string): Namespace => `$tokens/${bucket}`;

/** Leases of its tokens that somebody has; key: the lease's number (15 digits). */
export const tokenLeasesNamespace = (bucket: string, epoch: number): Namespace => `$tokens/${bucket}/${epoch}`;

/** A value that processes share, and the marker of its version. */
export const sharedValueNamespace = (name: string): Namespace => `$value/${name}`;

/** The engine's membership is by name; a member reads one topic, so the name holds both. */
export const membershipName = (group: string, topic: string): string => `${group}/${topic}`;

/** What a member's id tells of it. */
export interface MemberTraits {
  /** The name that people gave it. */
  readonly name: string;
  /** The process that it runs in, by the name that people gave that one. */
  readonly process: string;
  /** When it joined, engine time, ms. */
  readonly sinceMs: number;
}

/** A member as the engine knows it: unlike any other, also of its name. */
export const memberId = ({ name, process, sinceMs }: MemberTraits, unique: string): string =>
  `${name}#${process}#${Math.floor(sinceMs)}#${unique}`;

/** Of an id that a look at leases or members found. */
export function memberTraits(id: string): MemberTraits {
  const [name = id, process = "", sinceMs = ""] = id.split("#");
  return { name, process, sinceMs: Number(sinceMs) };
}

/** Header extension that names the one group a redriven message is for. */
export const redriveHeader = "queue-core.redrive";

export const repliesTopicName = "replies";
export const repliesGroup = "$replies";

/** Digits enough for engine time until the year 33658, so that key order is time order. */
export const timeKey = (timeMs: number): string => String(Math.max(0, Math.ceil(timeMs))).padStart(15, "0");

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** Throws INVALID_ARGUMENT for a name that could meet another's namespace. */
export function checkName(
  kind: "group" | "topic" | "member" | "process" | "bucket" | "namespace" | "value",
  name: string,
): void {
  if (namePattern.test(name)) return;
  throw new QueueError(
    "INVALID_ARGUMENT",
    `${kind} name ${JSON.stringify(name)}: 1 to 128 letters, digits, ".", "_", ":" or "-" are allowed`,
  );
}

/**
 * A half message as it lies in the engine, and the commits that end it.
 *
 *     $half/<group>/<topic>              <time stored>-<sender>-<number>   head and value, as packed-message.ts draws them
 *     $half-rolled-back/<group>/<topic>  the same key                      a tombstone
 *
 * What can go wrong: sender and check-back end the same one. Each end expects the entry to be there and deletes it, so
 * one of them wins and the other meets CONFLICT. A rollback leaves a tombstone that tells a late sender so.
 */
import type { AppendRequest, Commit, MessageHeaders, StateEntry, StateWrite } from "./engine.ts";
import { halfNamespace, rolledBackNamespace } from "./namespaces.ts";
import { packMessage, unpackMessage } from "./packed-message.ts";
import { partitionOfKey } from "./topic.ts";

/** How long a rollback is remembered: a sender that comes later than this is told that all is well. */
export const rollbackMemoryMs = 24 * 3_600_000;

const tombstone = Buffer.from("1");

/** Whose half messages, and where they go. */
export interface HalfPlace {
  readonly group: string;
  readonly topic: { readonly name: string; readonly partitions: number };
}

export interface HalfHead {
  readonly key: string;
  /** Added by interceptors. */
  readonly headers?: MessageHeaders;
  readonly storedAtMs: number;
  /** Answers of a check-back that left it open. */
  readonly checks: number;
  readonly lastCheckMs: number;
}

export interface Half {
  /** Key of its entry; also the id that the application sees. */
  readonly id: string;
  readonly message: AppendRequest;
}

export function halfEntry({ group, topic }: HalfPlace, id: string, head: HalfHead, value: Buffer): StateWrite {
  return { namespace: halfNamespace(group, topic.name), key: id, value: packMessage(head, value) };
}

/** Throws CORRUPT where the entry is no packed message. */
export function readHalf(
  { topic }: HalfPlace,
  entry: StateEntry,
): { readonly half: Half; readonly head: HalfHead; readonly bytes: Buffer } {
  const { head, value: bytes } = unpackMessage<HalfHead>(entry.value);
  const { key, headers } = head;
  const plain = { topic: topic.name, partition: partitionOfKey(key, topic.partitions), key, value: bytes };
  const message = headers === undefined ? plain : { ...plain, headers };
  return { half: { id: entry.key, message }, head, bytes };
}

export function commitOf(place: HalfPlace, halves: readonly Half[]): Commit {
  return { ...ending(place, halves), append: halves.map(({ message }) => message) };
}

export function rollbackOf(
  place: HalfPlace,
  halves: readonly Pick<Half, "id">[],
  nowMs: number,
): Commit & { readonly put: readonly StateWrite[] } {
  const { expect, put } = ending(place, halves);
  const expiresAtMs = nowMs + rollbackMemoryMs;
  const namespace = rolledBackNamespace(place.group, place.topic.name);
  const marks = halves.map(({ id }) => ({ namespace, key: id, value: tombstone, expiresAtMs }));
  return { expect, put: [...put, ...marks] };
}

/** Makes one that was given up open again, with its tombstone gone: whoever has the word on it is believed again. */
export function reopened(place: HalfPlace, id: string, head: HalfHead, value: Buffer): readonly StateWrite[] {
  const namespace = rolledBackNamespace(place.group, place.topic.name);
  return [halfEntry(place, id, head, value), { namespace, key: id, value: null }];
}

function ending({ group, topic }: HalfPlace, halves: readonly Pick<Half, "id">[]) {
  const namespace = halfNamespace(group, topic.name);
  return {
    expect: halves.map(({ id }) => ({ namespace, key: id, is: "present" as const })),
    put: halves.map(({ id }) => ({ namespace, key: id, value: null })),
  };
}

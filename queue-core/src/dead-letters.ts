/**
 * Dead letters (死信): what a group gave up on, with the history of its errors, until somebody redrives it.
 *
 * Contracts:
 * - A dead letter is kept, with reason, history, key, headers and bytes, until it is redriven; also across a restart.
 * - It is told of when it is stored.
 * - A message that was published fits with all its bytes, whatever its key, its headers and its errors are: reason and
 *   errors are cut to 1,000 characters each, and of the errors the newest are kept that fit in 64 KiB.
 * - A redrive moves each dead letter once, whoever else redrives, and reaches the group it belongs to alone. A delayed
 *   one, which died before any group could read it, reaches them all.
 * - A half message that is redriven is one again: it is asked about, and never seen where its transaction rolled back.
 *
 * What can go wrong:
 * - A message dead-lettered twice (its commit was fenced, the next owner met it again) must be there once: the
 *   entry's key is its partition and offset.
 * - A redrive that dies half-way must neither lose nor double one: each batch is moved by one commit.
 * - A message appended past `publish` can be too large for an entry that holds anything beside it: its dead letter is
 *   kept without bytes and names where they lie. A redrive passes it by; it stays as a record.
 * - A redriven message would reach every group of the topic again: it carries the name of the group it is for,
 *   and all others pass it by.
 */
import type { AppendRequest, Engine, MessageHeaders, StateEntry, StateWrite, StoredMessage } from "./engine.ts";
import { maxValueBytes } from "./engines/commit-rules.ts";
import { type HalfPlace, reopened } from "./half-entry.ts";
import { deadLetterNamespace, delayGroup, redriveHeader } from "./namespaces.ts";
import { packMessage, unpackMessage } from "./packed-message.ts";
import type { DeadLetter } from "./queue.ts";
import { hasCode, type QueueContext } from "./queue-context.ts";
import { partitionOfKey, type Topic } from "./topic.ts";

export type ErrorHistory = readonly { readonly atMs: number; readonly error: string }[];

interface DeadHead {
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: string;
  readonly headers: MessageHeaders;
  readonly attempt: number;
  readonly reason: string;
  readonly history: ErrorHistory;
  /** Of a message that is kept without its bytes: how many there were. */
  readonly leftOutBytes?: number;
}

const longestText = 1_000;
/** With them the largest key, headers and value that can be published come to 990 KiB of JSON and bytes, of 1 MiB. */
const historyBytes = 64 * 1024;
const redriveBatch = 128;

/** The entry to put, in the commit that moves the group past the message. */
export function deadLetterEntry(
  group: string,
  message: Pick<StoredMessage, "topic" | "partition" | "offset" | "timestampMs" | "key" | "headers">,
  bytes: Buffer,
  death: { readonly attempt: number; readonly reason: string; readonly history: ErrorHistory; readonly id?: string },
): StateWrite {
  const { partition, offset, timestampMs, key, headers } = message;
  const reason = shortened(death.reason);
  const history = newestThatFit(death.history);
  const head: DeadHead = { partition, offset, timestampMs, key, headers, attempt: death.attempt, reason, history };
  const entry: StateWrite = {
    namespace: deadLetterNamespace(group, message.topic),
    key: death.id ?? `${String(partition).padStart(4, "0")}-${String(offset).padStart(15, "0")}`,
    value: packMessage(head, bytes),
  };
  return (entry.value?.length ?? 0) <= maxValueBytes ? entry : withoutBytes(entry, message.topic);
}

/** The record that is kept where storage does not take the whole letter. */
export function withoutBytes(letter: StateWrite, topic: string): StateWrite {
  const { head, value } = unpackMessage<DeadHead>(letter.value as Buffer);
  if (head.leftOutBytes !== undefined) return letter;
  const place = `its ${value.length} bytes are left in ${topic}/${head.partition} at offset ${head.offset}`;
  const stub = {
    ...head,
    headers: {},
    reason: `${head.reason}; ${place}`,
    history: head.history.slice(-1),
    leftOutBytes: value.length,
  };
  return { ...letter, value: packMessage(stub, Buffer.alloc(0)) };
}

function newestThatFit(history: ErrorHistory): ErrorHistory {
  const kept: ErrorHistory[number][] = [];
  let bytes = 0;
  for (const { atMs, error } of history.toReversed()) {
    const entry = { atMs, error: shortened(error) };
    bytes += Buffer.byteLength(JSON.stringify(entry));
    if (bytes > historyBytes) break;
    kept.push(entry);
  }
  return kept.reverse();
}

function shortened(text: string): string {
  return text.length > longestText ? text.slice(0, longestText) : text;
}

/** A group that gave up on work must not do so in silence: somebody has to look, and redrive it. */
export function reportDeadLetter(
  context: QueueContext,
  group: string,
  { topic, partition, offset }: Pick<StoredMessage, "topic" | "partition" | "offset">,
  reason: string,
): void {
  context.report(`dead letter of group ${group} from ${topic}/${partition} at offset ${offset}`, reason);
}

/** Whether somebody sent it again after its group, or its topic's delay, had given up on it. */
export function isRedriven(headers: MessageHeaders): boolean {
  return headers.ext?.[redriveHeader] !== undefined;
}

/** True where the message was redriven for another group than this one. */
export function isForAnotherGroup(headers: MessageHeaders, group: string): boolean {
  const ext = headers.ext;
  if (ext === undefined) return false;
  const forGroup = ext[redriveHeader];
  return forGroup !== undefined && forGroup !== group;
}

export async function listDeadLetters<T>(
  engine: Engine,
  group: string,
  topic: Topic<T>,
  limit: number,
): Promise<readonly DeadLetter<T>[]> {
  const entries = await engine.scanState(deadLetterNamespace(group, topic.name), { limit });
  return entries.map((entry) => readDeadLetter(group, topic, entry));
}

/** Throws CORRUPT where the entry is no packed message. */
export function readDeadLetter<T>(
  group: string,
  topic: Pick<Topic<T>, "name" | "codec">,
  entry: StateEntry,
): DeadLetter<T> {
  const { head, value: bytes } = unpackMessage<DeadHead>(entry.value);
  const { reason, history, ...message } = head;
  const value = decodeOrUndefined(topic, bytes);
  return { group, reason, history, bytes, message: { ...message, topic: topic.name, value } };
}

/** Brings the group's dead letters on their way again and removes them; resolves with how many. */
export async function redriveDeadLetters(
  engine: Engine,
  group: string,
  topic: { readonly name: string; readonly partitions: number },
): Promise<number> {
  const namespace = deadLetterNamespace(group, topic.name);
  let redriven = 0;
  let after: string | undefined;
  for (;;) {
    const entries = await engine.scanState(namespace, {
      limit: redriveBatch,
      ...(after === undefined ? {} : { after }),
    });
    const last = entries.at(-1);
    if (last === undefined) return redriven;
    const whole = entries.filter(isWhole);
    const halves = whole.filter((entry) => isHalf(group, entry));
    const others = whole.filter((entry) => !halves.includes(entry));
    try {
      await engine.commit({
        expect: whole.map(({ key }) => ({ namespace, key, is: "present" as const })),
        put: [
          ...whole.map(({ key }) => ({ namespace, key, value: null })),
          ...halves.flatMap((entry) => halfAgain({ group, topic }, entry)),
        ],
        append: others.map((entry) => messageAgain(group, topic, entry)),
      });
      redriven += whole.length;
      after = last.key;
    } catch (error) {
      if (!hasCode(error, "CONFLICT")) throw error;
      // Another redrive took some of them. Once this commit is visible so is that one: look at what is left.
      await engine.commit({});
    }
  }
}

function isWhole(entry: StateEntry): boolean {
  return unpackMessage<DeadHead>(entry.value).head.leftOutBytes === undefined;
}

/** A half or delayed message died before it came into its topic. */
function hasBeenRead(head: Pick<DeadHead, "offset">): boolean {
  return head.offset >= 0;
}

function isHalf(group: string, entry: StateEntry): boolean {
  return group !== delayGroup && !hasBeenRead(unpackMessage<DeadHead>(entry.value).head);
}

/** Its id is the letter's key, and so is the time at which it was stored. */
function halfAgain(place: HalfPlace, entry: StateEntry): readonly StateWrite[] {
  const { head, value } = unpackMessage<DeadHead>(entry.value);
  const { key, headers, timestampMs: storedAtMs } = head;
  return reopened(place, entry.key, { key, headers, storedAtMs, checks: 0, lastCheckMs: storedAtMs }, value);
}

function messageAgain(group: string, topic: HalfPlace["topic"], entry: StateEntry): AppendRequest {
  const { head, value } = unpackMessage<DeadHead>(entry.value);
  const headers = hasBeenRead(head) ? markedFor(group, head.headers) : head.headers;
  return { topic: topic.name, partition: partitionOfKey(head.key, topic.partitions), key: head.key, value, headers };
}

/** Whether what that entry holds goes, once redriven, to the group alone that gave up on it. */
export function isForItsGroupAlone(entry: StateEntry): boolean {
  return hasBeenRead(unpackMessage<DeadHead>(entry.value).head);
}

function markedFor(group: string, headers: MessageHeaders): MessageHeaders {
  return { ...headers, ext: { ...headers.ext, [redriveHeader]: group } };
}

function decodeOrUndefined<T>(topic: Pick<Topic<T>, "codec">, bytes: Buffer): T | undefined {
  try {
    return topic.codec.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * What a commit or a topic declaration must look like before any state is asked.
 *
 * Promise: bad input is refused with a clear INVALID_ARGUMENT, UNKNOWN_TOPIC or MESSAGE_TOO_LARGE, and nothing
 * of it is stored. Only what types cannot say is checked.
 */
import type { AppendRequest, Commit, MessageHeaders, StateWrite, TopicConfig } from "../engine.ts";
import { QueueError } from "../errors.ts";
import { redriveHeader } from "../namespaces.ts";

export const maxValueBytes = 1024 * 1024;
export const maxKeyLength = 4096;
const maxHeaderLength = 64 * 1024;
const longestMark = 256;
const maxPartitions = 1024;
const topicNamePattern = /^[^\p{Cc}\s]{1,200}$/u;

export function checkTopicConfig(config: TopicConfig): void {
  if (!topicNamePattern.test(config.name)) {
    throw invalid(`a topic's name has 1 to 200 characters and no spaces, not ${JSON.stringify(config.name)}`);
  }
  if (!Number.isInteger(config.partitions) || config.partitions < 1 || config.partitions > maxPartitions) {
    throw invalid(`topic ${config.name} needs 1 to ${maxPartitions} partitions, not ${config.partitions}`);
  }
  const ring = config.ringMessages;
  if (ring !== undefined && !(Number.isSafeInteger(ring) && ring >= 1)) {
    throw invalid(`topic ${config.name}: ringMessages is a positive integer, not ${ring}`);
  }
}

export function checkAppend(request: AppendRequest): void {
  if (!Buffer.isBuffer(request.value)) throw invalid(`${request.topic}: a message's value is a Buffer`);
  if (request.value.length > maxValueBytes) {
    throw new QueueError(
      "MESSAGE_TOO_LARGE",
      `${request.topic}: a message has at most ${maxValueBytes} bytes, this one ${request.value.length}`,
    );
  }
  checkKey(request.key, request.topic);
  if (request.headers !== undefined) checkHeaders(request.headers, request.topic);
}

export function checkWrite(write: StateWrite): void {
  checkKey(write.namespace, "a namespace");
  checkKey(write.key, write.namespace);
  if (write.expiresAtMs !== undefined && !Number.isFinite(write.expiresAtMs)) {
    throw invalid(`${write.namespace}: expiresAtMs is a time in ms, not ${write.expiresAtMs}`);
  }
  if (write.value === null) return;
  if (!Buffer.isBuffer(write.value)) throw invalid(`${write.namespace}: an entry's value is a Buffer or null`);
  if (write.value.length > maxValueBytes) {
    throw new QueueError(
      "MESSAGE_TOO_LARGE",
      `${write.namespace}: an entry has at most ${maxValueBytes} bytes, this one ${write.value.length}`,
    );
  }
}

export function checkAdvance(advance: NonNullable<Commit["advance"]>, endOffset: number): void {
  checkKey(advance.group, "a group");
  if (!Number.isSafeInteger(advance.to) || advance.to < 0 || advance.to > endOffset) {
    throw invalid(
      `group ${advance.group} cannot move to offset ${advance.to} of ${advance.topic}/${advance.partition}, ` +
        `which ends at ${endOffset}`,
    );
  }
}

export function checkRead(
  fromOffset: number,
  limits: { readonly maxMessages: number; readonly maxBytes?: number },
): void {
  if (!Number.isInteger(fromOffset)) throw invalid(`an offset is an integer, not ${fromOffset}`);
  if (Number.isNaN(limits.maxMessages) || Number.isNaN(limits.maxBytes)) throw invalid("a limit is a number, not NaN");
}

export function checkTtl(ttlMs: number, minimumMs: number): void {
  if (!Number.isFinite(ttlMs) || ttlMs < minimumMs)
    throw invalid(`a TTL is in ms, at least ${minimumMs}, not ${ttlMs}`);
}

export function checkKey(key: string, where: string): void {
  if (typeof key !== "string" || key.length > maxKeyLength) {
    throw invalid(`${where}: a key is a string of at most ${maxKeyLength} characters`);
  }
}

export function checkHeaders({ id, deadlineMs, replyTo, ext }: MessageHeaders, topic: string): void {
  let length = id === undefined ? 0 : lengthOf(id, topic);
  if (deadlineMs !== undefined && !Number.isFinite(deadlineMs)) {
    throw invalid(`${topic}: deadlineMs is a time in ms, not ${deadlineMs}`);
  }
  if (replyTo !== undefined) {
    if (!Number.isSafeInteger(replyTo.partition) || replyTo.partition < 0) {
      throw invalid(`${topic}: replyTo.partition is a partition number, not ${replyTo.partition}`);
    }
    length += lengthOf(replyTo.topic, topic) + lengthOf(replyTo.correlationId, topic);
  }
  if (ext !== undefined) {
    for (const name of Object.keys(ext)) {
      const added = name.length + lengthOf(ext[name], topic);
      // A redrive adds it to headers that may be as long as headers may be.
      if (name !== redriveHeader || added > longestMark) length += added;
    }
  }
  if (length > maxHeaderLength) {
    throw new QueueError(
      "MESSAGE_TOO_LARGE",
      `${topic}: headers have at most ${maxHeaderLength} characters, these ${length}`,
    );
  }
}

function lengthOf(header: unknown, topic: string): number {
  if (typeof header !== "string") throw invalid(`${topic}: headers are strings, not ${typeof header}`);
  return header.length;
}

function invalid(detail: string): QueueError {
  return new QueueError("INVALID_ARGUMENT", detail);
}

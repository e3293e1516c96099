/**
 * Reads what batch-encoder.ts wrote (layout.ts draws it).
 *
 * What can go wrong: bytes with a right CRC that make no sense, from a faulty writer. Promise: they end in a
 * RangeError, never in an endless loop or a half-read commit taken for a whole one.
 */
import type { StateWrite, StoredMessage, TopicConfig } from "../../../engine.ts";
import { type BatchHeader, batchHeaderBytes, commitFlags, putKinds } from "./layout.ts";
import { readHeaders, skipHeaders } from "./message-headers.ts";
import { RecordReader } from "./record-reader.ts";

/**
 * Called in the order of the records. Buffers given are views of the batch. (Arguments are read before each call:
 * an optional call that finds no method would not evaluate them, and the reader would stay behind.)
 */
export interface BatchVisitor {
  commit?(sequence: number, timeMs: number): void;
  retire?(group: string, topicId: number): void;
  advance?(group: string, topicId: number, partition: number, to: number): void;
  put?(write: StateWrite): void;
  /** `position` is where `decodeMessage` finds the message. */
  message?(topicId: number, partition: number, offset: number, position: number): void;
  topic?(config: TopicConfig): void;
  incarnation?(incarnation: number): void;
  retainedFrom?(segment: number): void;
}

export function visitBatch(batch: Buffer, header: BatchHeader, visitor: BatchVisitor): void {
  const reader = new RecordReader(batch, batchHeaderBytes);
  for (let index = 0; index < header.commits; index++) {
    const flags = reader.byte();
    const afterMs = reader.varint();
    visitor.commit?.(header.firstCommitSequence + index, header.timeMs + afterMs);
    if ((flags & commitFlags.retire) !== 0) {
      const group = reader.text();
      const topicId = reader.varint();
      visitor.retire?.(group, topicId);
    }
    if ((flags & commitFlags.advance) !== 0) {
      const group = reader.text();
      const topicId = reader.varint();
      const partition = reader.varint();
      const to = reader.varint();
      visitor.advance?.(group, topicId, partition, to);
    }
    if ((flags & commitFlags.put) !== 0) {
      if (visitor.put === undefined) skipPuts(reader);
      else visitPuts(reader, visitor);
    }
    if ((flags & commitFlags.append) !== 0) visitMessages(reader, visitor);
    if ((flags & commitFlags.topics) !== 0) visitTopics(reader, visitor);
    if ((flags & commitFlags.incarnation) !== 0) {
      const incarnation = reader.varint();
      visitor.incarnation?.(incarnation);
    }
    if ((flags & commitFlags.retainedFrom) !== 0) {
      const segment = reader.varint();
      visitor.retainedFrom?.(segment);
    }
    reader.assertInside();
  }
  reader.assertAtEnd();
}

/** The message at `position` of a batch; its value is a view of the batch. */
export function decodeMessage(batch: Buffer, batchTimeMs: number, position: number, topic: string): StoredMessage {
  const reader = new RecordReader(batch, position);
  reader.varint();
  const partition = reader.varint();
  const offset = reader.varint();
  const timestampMs = batchTimeMs + reader.varint();
  const key = reader.text();
  const headers = readHeaders(reader);
  return { topic, partition, offset, timestampMs, key, value: reader.bytes(), headers };
}

function visitPuts(reader: RecordReader, visitor: BatchVisitor): void {
  const count = reader.varint();
  for (let index = 0; index < count; index++) {
    const namespace = reader.text();
    const key = reader.text();
    const kind = reader.byte();
    if (kind === putKinds.delete) {
      visitor.put?.({ namespace, key, value: null });
    } else if (kind === putKinds.value) {
      const value = reader.bytes();
      visitor.put?.({ namespace, key, value });
    } else if (kind === putKinds.expiringValue) {
      const expiresAtMs = reader.double();
      const value = reader.bytes();
      visitor.put?.({ namespace, key, value, expiresAtMs });
    } else {
      throw new RangeError(`there is no state write of kind ${kind}`);
    }
  }
}

function skipPuts(reader: RecordReader): void {
  const count = reader.varint();
  for (let index = 0; index < count; index++) {
    reader.skipText();
    reader.skipText();
    const kind = reader.byte();
    if (kind === putKinds.expiringValue) reader.at += 8;
    if (kind !== putKinds.delete) reader.skipBytes();
  }
}

function visitMessages(reader: RecordReader, visitor: BatchVisitor): void {
  const count = reader.varint();
  for (let index = 0; index < count; index++) {
    const position = reader.at;
    const topicId = reader.varint();
    const partition = reader.varint();
    const offset = reader.varint();
    reader.varint();
    reader.skipText();
    skipHeaders(reader);
    reader.skipBytes();
    reader.assertInside();
    visitor.message?.(topicId, partition, offset, position);
  }
}

function visitTopics(reader: RecordReader, visitor: BatchVisitor): void {
  const count = reader.varint();
  for (let index = 0; index < count; index++) {
    const name = reader.text();
    const partitions = reader.varint();
    const ringMessages = reader.varint();
    visitor.topic?.(ringMessages === 0 ? { name, partitions } : { name, partitions, ringMessages });
  }
}

/**
 * The bytes of a message and of a state entry in Redis.
 *
 *     message := CRC-32 of the rest:u32 LE  key:text flags:u8 headers value      value: up to the end
 *     entry   := 0 CRC-32 of the value:u32 LE value
 *              | 1 expiresAtMs:f64 BE  CRC-32 of expiresAtMs and value:u32 LE  value
 *
 * Texts and headers are as log/format/layout.ts draws them. The expiry is big-endian for the script, which reads it.
 *
 * What can go wrong: Redis loads an append-only file with a flipped bit without a word. Promise: what was not
 * stored as it is read ends in CORRUPT.
 */
import { crc32 } from "node:zlib";
import type { AppendRequest, MessageHeaders, StoredMessage } from "../../engine.ts";
import { QueueError } from "../../errors.ts";
import { readHeaders, writeHeaders } from "../log/format/message-headers.ts";
import { RecordReader } from "../log/format/record-reader.ts";
import { RecordWriter } from "../log/format/record-writer.ts";

const crcBytes = 4;
const plainHead = 1 + crcBytes;
const expiringHead = 1 + 8 + crcBytes;

/** Writes one message after the other into one buffer. */
export class MessageEncoder {
  readonly #out = new RecordWriter(crcBytes, 4096);

  /** Valid until the next one. */
  encode(request: AppendRequest): Buffer {
    const out = this.#out;
    out.reset();
    out.text(request.key);
    if (request.headers === undefined) out.byte(0);
    else writeHeaders(out, request.headers);
    out.raw(request.value);
    const record = out.written();
    record.writeUInt32LE(crc32(record.subarray(crcBytes)), 0);
    return record;
  }
}

export function decodeMessage(
  record: Buffer,
  place: Pick<StoredMessage, "topic" | "partition" | "offset" | "timestampMs">,
): StoredMessage {
  if (record.length < crcBytes || record.readUInt32LE(0) !== crc32(record.subarray(crcBytes))) {
    throw new QueueError("CORRUPT", `message ${place.offset} of ${place.topic}/${place.partition} is damaged`);
  }
  const reader = new RecordReader(record, crcBytes);
  const key = reader.text();
  const headers: MessageHeaders = readHeaders(reader);
  const { topic, partition, offset, timestampMs } = place;
  return { topic, partition, offset, timestampMs, key, value: record.subarray(reader.at), headers };
}

export function encodeEntry(value: Buffer, expiresAtMs: number | undefined): Buffer {
  const head = expiresAtMs === undefined ? plainHead : expiringHead;
  const entry = Buffer.allocUnsafe(head + value.length);
  entry[0] = expiresAtMs === undefined ? 0 : 1;
  if (expiresAtMs !== undefined) entry.writeDoubleBE(expiresAtMs, 1);
  value.copy(entry, head);
  entry.writeUInt32LE(crc32(value, crc32(entry.subarray(1, head - crcBytes))), head - crcBytes);
  return entry;
}

/** Undefined where it has expired. */
export function decodeEntry(entry: Buffer, nowMs: number, where: () => string): Buffer | undefined {
  const head = entry[0] === 0 ? plainHead : expiringHead;
  const value = entry.subarray(head);
  if (
    entry.length < head ||
    (entry[0] as number) > 1 ||
    entry.readUInt32LE(head - crcBytes) !== crc32(value, crc32(entry.subarray(1, head - crcBytes)))
  ) {
    throw new QueueError("CORRUPT", `the entry ${where()} is damaged`);
  }
  if (entry[0] === 1 && entry.readDoubleBE(1) <= nowMs) return undefined;
  return value;
}

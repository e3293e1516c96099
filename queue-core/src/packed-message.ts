/**
 * A message kept as a state entry: delayed, half, or dead.
 *
 * What can go wrong: the value's bytes need not be text, so they must not travel through JSON. Layout:
 *
 *   ┌───────────────┬──────────────────────┬─────────────┐
 *   │ u32 LE length │ JSON of that length  │ value bytes │
 *   └───────────────┴──────────────────────┴─────────────┘
 */
import { QueueError } from "./errors.ts";

export function packMessage(head: object, value: Buffer): Buffer {
  const json = JSON.stringify(head);
  const length = Buffer.byteLength(json);
  const packed = Buffer.allocUnsafe(4 + length + value.length);
  packed.writeUInt32LE(length, 0);
  packed.write(json, 4, "utf8");
  value.copy(packed, 4 + length);
  return packed;
}

/** Throws CORRUPT where the bytes are not a packed message. The head is as it was packed; its type is the caller's word. */
export function unpackMessage<Head extends object>(packed: Buffer): { readonly head: Head; readonly value: Buffer } {
  const length = packed.length < 4 ? Number.POSITIVE_INFINITY : packed.readUInt32LE(0);
  if (4 + length > packed.length) throw new QueueError("CORRUPT", "a stored message entry is shorter than it says");
  return { head: JSON.parse(packed.toString("utf8", 4, 4 + length)) as Head, value: packed.subarray(4 + length) };
}

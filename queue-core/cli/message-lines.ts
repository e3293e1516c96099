/** A message, for people and for machines. */
import type { MessageHeaders } from "../src/engine.ts";
import { printable, quoted, type StoredValue, storedValue, valueLines } from "./printable.ts";
import { counted, time } from "./table.ts";

export interface ShownMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: string;
  readonly headers: MessageHeaders;
}

export function messageTitle({ topic, partition, offset, timestampMs, key }: ShownMessage): string {
  return `${printable(topic)}/${partition} at offset ${offset}   ${time(timestampMs)}   key ${quoted(key)}`;
}

export function headerLines(headers: MessageHeaders): readonly string[] {
  const { id, deadlineMs, replyTo, ext = {} } = headers;
  return [
    ...(id === undefined ? [] : [field("id", printable(id))]),
    ...(deadlineMs === undefined ? [] : [field("deadline", time(deadlineMs))]),
    ...(replyTo === undefined
      ? []
      : [
          field(
            "reply to",
            `${printable(replyTo.topic)}/${replyTo.partition}, correlation ${printable(replyTo.correlationId)}`,
          ),
        ]),
    ...Object.entries(ext).map(([name, value]) => field("header", `${printable(name)}: ${printable(value)}`)),
  ];
}

export function valueField(bytes: Buffer, length: "short" | "full"): readonly string[] {
  if (bytes.length === 0) return [field("value", "empty")];
  const lines = valueLines(bytes, length).map((line) => `    ${line}`);
  return [field("value", counted(bytes.length, "byte")), ...lines];
}

export const field = (name: string, value: string): string => `  ${name.padEnd(9)} ${value}`;

/** `headers` without the ones that are not there, `value` without loss. */
export function messageForMachines(message: ShownMessage, bytes: Buffer): Record<string, unknown> & StoredValue {
  const { topic, partition, offset, timestampMs, key, headers } = message;
  return { topic, partition, offset, timestampMs, key, headers, ...storedValue(bytes) };
}

/**
 * The headers of a message as bytes (layout.ts draws them: `headerFlags` and what follows them).
 *
 * What can go wrong: as in batch-decoder.ts. Promise: headers come back as they were given, whatever their names.
 */
import type { MessageHeaders } from "../../../engine.ts";
import { headerFlags } from "./layout.ts";
import type { RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";

export function writeHeaders(out: RecordWriter, headers: MessageHeaders): void {
  const { id, deadlineMs, replyTo, ext } = headers;
  const flagsAt = out.leaveByte();
  let flags = 0;
  if (id !== undefined) {
    flags |= headerFlags.id;
    out.text(id);
  }
  if (deadlineMs !== undefined) {
    flags |= headerFlags.deadline;
    out.double(deadlineMs);
  }
  if (replyTo !== undefined) {
    flags |= headerFlags.replyTo;
    out.text(replyTo.topic);
    out.varint(replyTo.partition);
    out.text(replyTo.correlationId);
  }
  if (ext !== undefined) {
    flags |= headerFlags.ext;
    const names = Object.keys(ext);
    out.varint(names.length);
    for (const name of names) {
      out.text(name);
      out.text(ext[name] as string);
    }
  }
  out.setByte(flagsAt, flags);
}

const noHeaders: MessageHeaders = {};

export function readHeaders(reader: RecordReader): MessageHeaders {
  const flags = reader.byte();
  if (flags === 0) return noHeaders;
  return {
    ...((flags & headerFlags.id) === 0 ? {} : { id: reader.text() }),
    ...((flags & headerFlags.deadline) === 0 ? {} : { deadlineMs: reader.double() }),
    ...((flags & headerFlags.replyTo) === 0
      ? {}
      : { replyTo: { topic: reader.text(), partition: reader.varint(), correlationId: reader.text() } }),
    ...((flags & headerFlags.ext) === 0 ? {} : { ext: readExt(reader) }),
  };
}

export function skipHeaders(reader: RecordReader): void {
  const flags = reader.byte();
  if (flags === 0) return;
  if ((flags & headerFlags.id) !== 0) reader.skipText();
  if ((flags & headerFlags.deadline) !== 0) reader.at += 8;
  if ((flags & headerFlags.replyTo) !== 0) {
    reader.skipText();
    reader.varint();
    reader.skipText();
  }
  if ((flags & headerFlags.ext) === 0) return;
  const count = reader.varint();
  for (let index = 0; index < count * 2; index++) reader.skipText();
}

function readExt(reader: RecordReader): Record<string, string> {
  const count = reader.varint();
  const entries: [string, string][] = [];
  for (let index = 0; index < count; index++) entries.push([reader.text(), reader.text()]);
  // Unlike assignment, fromEntries keeps a header named __proto__ an ordinary one.
  return Object.fromEntries(entries);
}

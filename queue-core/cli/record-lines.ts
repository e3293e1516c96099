/** What a dump shows: one record of the log a line, for people and for machines. */
import type { MessageHeaders } from "../src/engine.ts";
import { printable, quoted, storedValue, valueLines } from "./printable.ts";
import { count, counted, size, time } from "./table.ts";

interface InCommit {
  readonly commit: number;
}

/** What a snapshot holds. */
type SnapshotRecord =
  | {
      readonly kind: "snapshot";
      readonly logId: string;
      readonly bytes: number;
      readonly beforeBatch: number;
      readonly beforeCommit: number;
      readonly timeMs: number;
      readonly opened: number;
    }
  | {
      readonly kind: "topic";
      readonly topic: string;
      readonly partitions: number;
      readonly ringMessages?: number;
    }
  | {
      readonly kind: "partition";
      readonly topic: string;
      readonly partition: number;
      readonly start: number;
      readonly end: number;
      readonly committed: Readonly<Record<string, number>>;
      readonly places: readonly { readonly firstOffset: number; readonly segment: number; readonly position: number }[];
    }
  | { readonly kind: "sealed"; readonly fromBatch: number; readonly bytes: number; readonly lastTimeMs: number }
  | {
      readonly kind: "entry";
      readonly namespace: string;
      readonly key: string;
      readonly expiresAtMs?: number;
      readonly stored: Buffer;
    };

export type DumpRecord =
  | SnapshotRecord
  | {
      readonly kind: "segment";
      readonly logId: string;
      readonly firstBatch: number;
      readonly bytes: number;
    }
  | {
      readonly kind: "batch";
      readonly position: number;
      readonly bytes: number;
      readonly batch: number;
      readonly firstCommit: number;
      readonly commits: number;
      readonly timeMs: number;
    }
  | (InCommit & {
      readonly kind: "append";
      readonly topic: string;
      readonly partition: number;
      readonly offset: number;
      readonly timestampMs: number;
      readonly key: string;
      readonly headers: MessageHeaders;
      readonly stored: Buffer;
    })
  | (InCommit & {
      readonly kind: "advance";
      readonly group: string;
      readonly topic: string;
      readonly partition: number;
      readonly to: number;
    })
  | (InCommit & {
      readonly kind: "put";
      readonly namespace: string;
      readonly key: string;
      readonly expiresAtMs?: number;
      readonly stored: Buffer;
    })
  | (InCommit & { readonly kind: "delete"; readonly namespace: string; readonly key: string })
  | (InCommit & {
      readonly kind: "declare";
      readonly topic: string;
      readonly partitions: number;
      readonly ringMessages?: number;
    })
  | (InCommit & { readonly kind: "retire"; readonly group: string; readonly topic: string })
  | (InCommit & { readonly kind: "retain"; readonly fromBatch: number })
  | (InCommit & { readonly kind: "opened"; readonly incarnation: number })
  | {
      readonly kind: "damage";
      readonly position: number;
      readonly what: string;
      /** Nothing whole follows: damage, or a batch that a crash tore or that is being written. */
      readonly isAtEnd: boolean;
    };

/** Numbers as they are: they are looked for elsewhere. */
export function recordLine(record: DumpRecord): string {
  switch (record.kind) {
    case "segment":
      return `segment of log ${record.logId}, ${size(record.bytes)}, from batch ${record.firstBatch} on`;
    case "batch":
      return (
        `batch ${record.batch} at byte ${record.position}: ${counted(record.bytes, "byte")}, ` +
        `${counted(record.commits, "commit")} from ${record.firstCommit} on, ${time(record.timeMs)}`
      );
    case "snapshot":
    case "topic":
    case "partition":
    case "sealed":
    case "entry":
      return snapshotRecordLine(record);
    case "damage":
      return `DAMAGE at byte ${record.position}: ${record.what}`;
    default:
      return `  ${record.commit}  ${record.kind.padEnd(7)}  ${commitRecordText(record)}`;
  }
}

/** The bytes that the record carries, where it carries any. */
export function recordValueLines(record: DumpRecord): readonly string[] {
  return "stored" in record ? valueLines(record.stored, "full").map((line) => `      ${line}`) : [];
}

export function recordForMachines(record: DumpRecord): object {
  if (!("stored" in record)) return record;
  const { stored, ...rest } = record;
  return { ...rest, ...storedValue(stored) };
}

function snapshotRecordLine(record: SnapshotRecord): string {
  switch (record.kind) {
    case "snapshot":
      return (
        `snapshot of log ${record.logId}, ${size(record.bytes)}: all before batch ${record.beforeBatch} and ` +
        `commit ${record.beforeCommit}, up to ${time(record.timeMs)}, opened ${counted(record.opened, "time")}`
      );
    case "topic":
      return `  topic      ${topicText(record)}`;
    case "partition": {
      const groups = Object.entries(record.committed).map(([group, offset]) => `${printable(group)} at ${offset}`);
      const place = `${printable(record.topic)}/${record.partition} from ${record.start} to ${record.end}`;
      return `  partition  ${[place, ...groups].join(", ")}; ${counted(record.places.length, "place")} in its index`;
    }
    case "sealed":
      return `  segment    from batch ${record.fromBatch} on, ${size(record.bytes)}, up to ${time(record.lastTimeMs)}`;
    case "entry":
      return `  entry      ${valuedEntryText(record)}`;
  }
}

function topicText(record: { readonly topic: string; readonly partitions: number; readonly ringMessages?: number }) {
  const ring = record.ringMessages === undefined ? "" : `, a ring of ${count(record.ringMessages)}`;
  return `${printable(record.topic)}, ${counted(record.partitions, "partition")}${ring}`;
}

function commitRecordText(record: Extract<DumpRecord, InCommit>): string {
  switch (record.kind) {
    case "append": {
      const id = record.headers.id === undefined ? "" : `  id ${printable(record.headers.id)}`;
      const place = `${printable(record.topic)}/${record.partition} offset ${record.offset}`;
      return `${place}  key ${quoted(record.key)}  ${counted(record.stored.length, "byte")}${id}`;
    }
    case "advance":
      return `${printable(record.group)} on ${printable(record.topic)}/${record.partition} to ${record.to}`;
    case "put":
      return valuedEntryText(record);
    case "delete":
      return entryText(record);
    case "declare":
      return topicText(record);
    case "retire":
      return `${printable(record.group)} from ${printable(record.topic)}`;
    case "retain":
      return `segments from batch ${record.fromBatch} on`;
    case "opened":
      return `by an engine, as number ${record.incarnation}`;
  }
}

function valuedEntryText(record: Extract<DumpRecord, { kind: "put" | "entry" }>): string {
  const expiry = record.expiresAtMs === undefined ? "" : `  until ${time(record.expiresAtMs)}`;
  return `${entryText(record)}  ${counted(record.stored.length, "byte")}${expiry}`;
}

function entryText({ key, namespace }: { readonly namespace: string; readonly key: string }): string {
  return `${printable(namespace)}  ${quoted(key)}`;
}

/**
 * Shows what a segment holds: damage is a line like any other, and what follows it is shown from the next whole batch on.
 */
import { dirname } from "node:path";
import { type BatchVisitor, decodeMessage, visitBatch } from "../src/engines/log/format/batch-decoder.ts";
import { decodeSegmentHeader } from "../src/engines/log/format/layout.ts";
import { type SegmentPart, segmentParts } from "../src/engines/log/recovery/segment-scan.ts";
import { QueueError } from "../src/errors.ts";
import type { Call } from "./command.ts";
import { type DeclaredTopics, declaredTopics } from "./log-view.ts";
import type { DumpRecord } from "./record-lines.ts";
import { counted } from "./table.ts";
import { ToolProblem } from "./tool-problem.ts";

export type Show = (record: DumpRecord) => void;

export async function dumpSegment(path: string, bytes: Buffer, { from = 0, limit }: Call, show: Show): Promise<void> {
  const header = decodeSegmentHeader(bytes);
  if (header === "unknown-format") throw new ToolProblem(`${path} was written by another version of queue-core`);
  if (header === "damaged") {
    throw new ToolProblem(`${path} at byte 0: the header is damaged, and without its log id no batch can be told`);
  }
  const { firstBatchSequence, logId } = header;
  show({ kind: "segment", logId: logId.toString("hex"), firstBatch: firstBatchSequence, bytes: bytes.length });
  const isFirst = firstBatchSequence === 0;
  const names = new TopicNames(isFirst ? { names: [], isComplete: true } : await declaredTopics(dirname(path)));
  let left = limit ?? Number.POSITIVE_INFINITY;
  for (const part of segmentParts(bytes, logId)) {
    if (left <= 0) return;
    if (part.kind === "batch" && part.header.batchSequence < from) {
      visitBatch(part.bytes, part.header, { topic: ({ name }) => names.declared(name) });
    } else if (part.kind === "batch") {
      left--;
      dumpBatch(part, names, show);
    } else if (part.kind !== "hole") {
      show(damage(part, bytes.length));
    }
  }
}

function damage(
  { end, kind, position }: Exclude<SegmentPart, { kind: "batch" | "hole" }>,
  fileBytes: number,
): DumpRecord {
  const isAtEnd = end === fileBytes && kind === "damaged";
  const bytes = counted(end - position, "byte");
  const whole = `${bytes} are no whole batch`;
  const what =
    kind === "unknown-format"
      ? `${bytes} of a batch in a format that this version does not know`
      : isAtEnd
        ? `${whole}, nor does one follow: torn by a crash, being written, or damaged (verify tells)`
        : whole;
  return { kind: "damage", position, what, isAtEnd };
}

function dumpBatch({ bytes, header, position }: SegmentPart & { kind: "batch" }, names: TopicNames, show: Show): void {
  const { batchSequence: batch, commits, firstCommitSequence: firstCommit, length, timeMs } = header;
  show({ kind: "batch", position, bytes: length, batch, firstCommit, commits, timeMs });
  let commit = firstCommit;
  const visitor: Required<BatchVisitor> = {
    commit(sequence) {
      commit = sequence;
    },
    retire(group, topicId) {
      show({ kind: "retire", commit, group, topic: names.of(topicId) });
    },
    advance(group, topicId, partition, to) {
      show({ kind: "advance", commit, group, topic: names.of(topicId), partition, to });
    },
    put({ expiresAtMs, key, namespace, value }) {
      if (value === null) show({ kind: "delete", commit, namespace, key });
      else if (expiresAtMs === undefined) show({ kind: "put", commit, namespace, key, stored: value });
      else show({ kind: "put", commit, namespace, key, expiresAtMs, stored: value });
    },
    message(topicId, _partition, _offset, at) {
      const { value: stored, ...message } = decodeMessage(bytes, timeMs, at, names.of(topicId));
      show({ kind: "append", commit, ...message, stored });
    },
    topic({ name, ...config }) {
      names.declared(name);
      show({ kind: "declare", commit, topic: name, ...config });
    },
    incarnation(incarnation) {
      show({ kind: "opened", commit, incarnation });
    },
    retainedFrom(batch) {
      show({ kind: "retain", commit, fromBatch: batch });
    },
  };
  try {
    visitBatch(bytes, header, visitor);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof QueueError)) throw error;
    const what = `a record of batch ${batch} makes no sense: ${error.message}`;
    show({ kind: "damage", position, what, isAtEnd: false });
  }
}

/** Records name topics by their number, which is that of their declaration. */
class TopicNames {
  readonly #names: string[];
  /** False where some may be missing that were declared before the file. */
  readonly #isComplete: boolean;

  constructor({ names, isComplete }: DeclaredTopics) {
    this.#names = [...names];
    this.#isComplete = isComplete;
  }

  declared(name: string): void {
    if (this.#isComplete && !this.#names.includes(name)) this.#names.push(name);
  }

  of(topicId: number): string {
    return this.#names[topicId] ?? `topic #${topicId}`;
  }
}

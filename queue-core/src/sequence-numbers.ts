/**
 * Consecutive numbers per producer and partition, and a detector that names the ones that never came (消息丢失检测).
 * Two interceptors: `sequenceNumbers` at the publisher, `gapDetector` at the group. Course lesson 05.
 *
 *   header "queue-core.sequence":  number ":" settled ":" given up ":" producer        e.g.  6:5:3:gateway-1-8f2c
 *
 * - `number`: 1, 2, 3 … in the order in which this producer's messages enter the partition.
 * - `settled`: of every number up to this one the producer knows the outcome.
 * - `given up`: numbers, as ranges, that are not in the log as far as the producer knows: refused, recognised as
 *   duplicates, or of unknown outcome. Each message names them all until one that named them is known to be stored.
 *
 * So a missing number is a loss exactly when a later message has it settled and nobody gave it up: of any number of
 * sends at once, some refused, none looks lost, and none that was acknowledged can be lost unseen.
 *
 * Contracts of the detector, per group, partition and producer:
 * - A gap is told once, as soon as it is certain, with the missing numbers. A number that comes after all is told as
 *   reordered.
 * - A message met again (at least once) is a repeat with its cause, no error: `redelivered` or `redriven`.
 *   `stored-twice` is one: the same number under two offsets.
 * - A detector that starts in the middle takes the first number that it sees for the first. So does one that goes on
 *   after another process read part of the partition: what was lost there is that one's to tell. An owner that stood
 *   still meanwhile, and does not know yet that it was replaced, may find the messages themselves gone by retention:
 *   offsets that it never met count as read by others.
 *
 * What can go wrong:
 * - The last numbers before a producer ends are named by no later message: their loss shows only at the producer,
 *   whose publish was not acknowledged. A new incarnation is a new producer, else its numbers would look repeated.
 * - Delayed and half messages enter their partition later than they were sent, so they carry no number.
 * - An engine that stores one process's commits in another order than it was called would look like reordering.
 */
import { randomUUID } from "node:crypto";
import { isForAnotherGroup, isRedriven } from "./dead-letters.ts";
import type { PartitionRef, StoredMessage } from "./engine.ts";
import type { Addition, Interceptor, OutgoingMessage, PublishOutcome } from "./interceptors.ts";
import { type NumberRange, NumberRanges } from "./number-ranges.ts";

const headerName = "queue-core.sequence";
/** Ranges that one message names; there are seldom more than sends at once. */
const longestGivenUp = 1_000;
/** Producers that a detector remembers for each partition, and ranges that it remembers as lost. */
const longestMemory = 1_024;

interface Sequence {
  readonly number: number;
  readonly settled: number;
  readonly givenUp: NumberRanges;
  readonly producer: string;
}

/** `producer` has to be another one in each incarnation of a process; default: a random id. */
export function sequenceNumbers(options: { producer?: string } = {}): Interceptor & { readonly producer: string } {
  const producer = options.producer ?? randomUUID();
  const outgoing = new Map<string, OutgoingNumbers>();
  return {
    name: "sequence numbers",
    producer,
    onPublish({ path, topic, partition }: OutgoingMessage): Addition | undefined {
      if (path === "delayed" || path === "half") return undefined;
      const place = `${topic}/${partition}`;
      let numbers = outgoing.get(place);
      if (numbers === undefined) {
        numbers = new OutgoingNumbers();
        outgoing.set(place, numbers);
      }
      const { header, onOutcome } = numbers.next();
      return { ext: { [headerName]: `${header}:${producer}` }, onOutcome };
    },
  };
}

/** What one producer knows about its messages in one partition. */
class OutgoingNumbers {
  #last = 0;
  /** Of all numbers up to here the outcome is known. */
  #settled = 0;
  readonly #settledAbove = new Set<number>();
  /** Given up, and not yet named by a message that is known to be stored. */
  readonly #toName = new NumberRanges();

  next(): { readonly header: string; readonly onOutcome: (outcome: PublishOutcome) => void } {
    const number = ++this.#last;
    const named = this.#toName.firstRanges(longestGivenUp);
    // What is not named here must not count as settled.
    const firstUnnamed = this.#toName.ranges[longestGivenUp]?.from ?? Number.POSITIVE_INFINITY;
    const settled = Math.min(this.#settled, firstUnnamed - 1);
    const onOutcome = (outcome: PublishOutcome): void => {
      if (outcome.kind === "stored") this.#toName.removeAll(named);
      else this.#toName.add(number);
      this.#settle(number);
    };
    return { header: `${number}:${settled}:${named}`, onOutcome };
  }

  #settle(number: number): void {
    this.#settledAbove.add(number);
    while (this.#settledAbove.delete(this.#settled + 1)) this.#settled++;
  }
}

/** What a gap detector noticed in the numbers of one producer on one partition. */
export type SequenceAnomaly = {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly producer: string;
} & (
  | { readonly kind: "gap"; readonly missing: readonly NumberRange[] }
  | { readonly kind: "repeat"; readonly cause: "redelivered" | "redriven" | "stored-twice"; readonly number: number }
  /** It came behind a later number. */
  | { readonly kind: "reordered"; readonly number: number }
);

/** Counted since the detector was made; messages. */
export interface GapStatistics {
  /** Messages that carried a number. */
  readonly received: number;
  readonly missing: number;
  readonly repeated: number;
  readonly reordered: number;
}

/** An interceptor that follows the numbers that `sequenceNumbers` wrote. */
export interface GapDetector extends Interceptor {
  statistics(): GapStatistics;
}

/** Tells of numbers that are missing, repeated or out of order, as messages are received. It refuses nothing. */
export function gapDetector(options: { onAnomaly?: (anomaly: SequenceAnomaly) => void } = {}): GapDetector {
  const places = new Map<string, WatchedPartition>();
  const counted = { received: 0, missing: 0, repeated: 0, reordered: 0 };
  const tell = (anomaly: SequenceAnomaly): void => {
    if (anomaly.kind === "gap") for (const { from, to } of anomaly.missing) counted.missing += to - from + 1;
    else if (anomaly.kind === "repeat") counted.repeated++;
    else counted.reordered++;
    options.onAnomaly?.(anomaly);
  };
  const watched = (group: string, topic: string, partition: number): WatchedPartition => {
    const place = `${group}/${topic}/${partition}`;
    let known = places.get(place);
    if (known === undefined) {
      known = new WatchedPartition({ group, topic, partition }, tell);
      places.set(place, known);
    }
    return known;
  };
  return {
    name: "gap detector",
    onTakeOver({ group, topic, partition }: PartitionRef, fromOffset: number) {
      watched(group, topic, partition).startAt(fromOffset);
    },
    onReceive(message: StoredMessage, group: string) {
      const text = message.headers.ext?.[headerName];
      const partition = watched(group, message.topic, message.partition);
      partition.startAt(message.offset);
      if (text !== undefined && !isForAnotherGroup(message.headers, group)) {
        counted.received++;
        partition.receive(message, parseSequence(text));
      }
      partition.passed(message.offset);
    },
    statistics: () => ({ ...counted }),
  };
}

interface ProducerState {
  readonly first: number;
  highest: number;
  /** Passed over, and perhaps lost, perhaps given up, perhaps still to come. */
  readonly open: NumberRanges;
  /** Told as a gap. */
  readonly lost: NumberRanges;
}

class WatchedPartition {
  readonly #ref: PartitionRef;
  readonly #tell: (anomaly: SequenceAnomaly) => void;
  readonly #producers = new Map<string, ProducerState>();
  #highestOffset = -1;

  constructor(ref: PartitionRef, tell: (anomaly: SequenceAnomaly) => void) {
    this.#ref = ref;
    this.#tell = tell;
  }

  startAt(fromOffset: number): void {
    // Somebody else read what lies between.
    if (fromOffset > this.#highestOffset + 1) this.#producers.clear();
    this.#highestOffset = Math.max(this.#highestOffset, fromOffset - 1);
  }

  passed(offset: number): void {
    this.#highestOffset = Math.max(this.#highestOffset, offset);
  }

  receive(message: StoredMessage, sequence: Sequence): void {
    const { number, producer, settled, givenUp } = sequence;
    const state = this.#producers.get(producer);
    if (isRedriven(message.headers) || message.offset <= this.#highestOffset) {
      // Met before; or it lies before the place where this detector started.
      const cause = isRedriven(message.headers) ? "redriven" : "redelivered";
      this.#tell({ ...this.#ref, producer, kind: "repeat", cause, number });
      return;
    }
    if (state === undefined) {
      this.#remember(producer, number);
      return;
    }
    if (number > state.highest) {
      state.open.add(state.highest + 1, number - 1);
      state.highest = number;
    } else {
      this.#comesLate(state, producer, number);
    }
    if (state.open.size === 0) return;
    state.open.removeAll(givenUp);
    const missing = state.open.takeUpTo(settled);
    if (missing.size === 0) return;
    for (const { from, to } of missing.ranges) if (state.lost.size < longestMemory) state.lost.add(from, to);
    this.#tell({ ...this.#ref, producer, kind: "gap", missing: missing.ranges });
  }

  #comesLate(state: ProducerState, producer: string, number: number): void {
    const wasMissing = state.open.has(number) || state.lost.has(number) || number < state.first;
    state.open.remove(number);
    state.lost.remove(number);
    this.#tell({
      ...this.#ref,
      producer,
      ...(wasMissing ? { kind: "reordered", number } : { kind: "repeat", cause: "stored-twice", number }),
    });
  }

  #remember(producer: string, first: number): void {
    if (this.#producers.size >= longestMemory) {
      const [oldest] = this.#producers.keys();
      this.#producers.delete(oldest as string);
    }
    this.#producers.set(producer, { first, highest: first, open: new NumberRanges(), lost: new NumberRanges() });
  }
}

/** Throws where the header is not one that `sequenceNumbers` made. */
function parseSequence(text: string): Sequence {
  const match = /^(\d+):(\d+):([\d,-]*):(.+)$/s.exec(text);
  if (match === null) throw new RangeError(`no sequence header: ${text}`);
  const [, number, settled, givenUp = "", producer = ""] = match;
  return { number: Number(number), settled: Number(settled), givenUp: NumberRanges.parse(givenUp), producer };
}

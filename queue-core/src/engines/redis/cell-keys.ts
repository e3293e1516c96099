/**
 * The names of a cell's keys; the header of call.lua lists what is in them.
 *
 * What can go wrong: two things of one name, or a key on another node of a cluster than the rest. Promises: every key
 * carries the hash tag of its cell and nothing before it that could be taken for one; a topic's name has no space,
 * so that "<topic> <group>" can be read in one way alone.
 */
import { QueueError } from "../../errors.ts";
import { encodeText, textArgument } from "./text.ts";

const cellPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

export class CellKeys {
  readonly prefix: string;
  readonly meta: string;
  readonly ranges: string;
  readonly bell: string;
  readonly topics: string;
  readonly topicOrder: string;

  /** Throws INVALID_ARGUMENT for a name that could not stand in a hash tag. */
  constructor(cell: string) {
    if (!cellPattern.test(cell)) {
      throw new QueueError(
        "INVALID_ARGUMENT",
        `a cell's name has 1 to 128 letters, digits, ".", "_", ":" or "-", not ${JSON.stringify(cell)}`,
      );
    }
    this.prefix = `plateau:{${cell}}:`;
    this.meta = `${this.prefix}meta`;
    this.ranges = `${this.prefix}ranges`;
    this.bell = `${this.prefix}bell`;
    this.topics = `${this.prefix}topics`;
    this.topicOrder = `${this.prefix}topic-order`;
  }

  stream(topic: string, partition: number): string | Buffer {
    return this.#key(`t:${topic}:${partition}`);
  }

  offsets(topic: string, group: string): string | Buffer {
    return this.#key(offsetsSuffix(topic, group));
  }

  leases(topic: string, group: string): string | Buffer {
    return this.#key(leasesSuffix(topic, group));
  }

  state(namespace: string): string | Buffer {
    return this.#key(`s:${namespace}`);
  }

  order(namespace: string): string | Buffer {
    return this.#key(`k:${namespace}`);
  }

  #key(suffix: string): string | Buffer {
    const text = textArgument(suffix);
    return typeof text === "string" ? this.prefix + text : Buffer.concat([encodeText(this.prefix), text]);
  }
}

/** What the script puts behind the prefix. */
export const offsetsSuffix = (topic: string, group: string): string => `o:${topic} ${group}`;
export const groupsSuffix = (topic: string): string => `groups:${topic}`;
export const leasesSuffix = (topic: string, group: string): string => `l:${topic} ${group}`;
export const membersSuffix = (group: string): string => `m:${group}`;

/** The fields of a partition in `ranges`. */
export const endField = (topic: string, partition: number): string | Buffer =>
  textArgument(`end ${partition} ${topic}`);
export const startField = (topic: string, partition: number): string | Buffer =>
  textArgument(`start ${partition} ${topic}`);

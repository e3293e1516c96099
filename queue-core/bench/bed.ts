/**
 * What every benchmark stands on: a folder on a real disk, a topic of 230-byte messages, a queue on the log engine.
 *
 * What can go wrong: a temporary folder in memory would make a sync cost nothing, so folders are made in the data
 * directory; a message that shrinks with its number would flatter early rounds, so all have the same length.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  defineTopic,
  type Engine,
  openLogEngine,
  openQueue,
  partitionOfKey,
  type Queue,
  type Topic,
} from "../src/index.ts";

export const messageBytes = 230;

export interface Purchase {
  readonly user: string;
  readonly sale: string;
  readonly number: number;
  readonly note: string;
}

/** 50,000 shoppers, one of 9,000,000 numbers: as JSON always `messageBytes` long. */
export function purchase(number: number): Purchase {
  return { user: userOf(number), sale: "sale-1", number: 1_000_000 + (number % 9_000_000), note };
}

const userOf = (number: number): string => `user-${100_000 + (number % 50_000)}`;

const bare = JSON.stringify({ user: userOf(0), sale: "sale-1", number: 1_000_000, note: "" }).length;
const note = "a purchase of one unit, as a shop would send it. ".repeat(5).slice(0, messageBytes - bare);

const partitions = 8;

/** No bench is refused for its backlog: the bench decides how many messages there are. */
export function purchaseTopic(name: string): Topic<Purchase> {
  const backlog = { maxMessages: 16_000_000, maxBytes: 16 * 1024 ** 3 };
  return defineTopic<Purchase>({ name, partitions, keyOf: (message) => message.user, backlog });
}

export async function inOwnFolder<Result>(name: string, run: (folder: string) => Promise<Result>): Promise<Result> {
  const parent = resolve(process.env.DATA_DIR ?? ".data");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, `bench-${name}-`));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function openLogQueue(directory: string, topics: readonly Topic<Purchase>[]): Promise<Queue> {
  return openQueue({ engine: await openLogEngine({ directory }), topics });
}

/** Appends messages as fast as the engine takes them, many to a commit. */
export async function fill(engine: Engine, topic: Topic<Purchase>, messages: number): Promise<void> {
  const perCommit = 256;
  let previous: Promise<unknown> = Promise.resolve();
  for (let from = 0; from < messages; from += perCommit) {
    const append = Array.from({ length: Math.min(perCommit, messages - from) }, (_, index) => {
      const value = purchase(from + index);
      const partition = partitionOfKey(value.user, topic.partitions);
      return { topic: topic.name, partition, key: value.user, value: topic.codec.encode(value) };
    });
    const committed = engine.commit({ append });
    await previous;
    previous = committed;
  }
  await previous;
}

/**
 * What the conformance suite needs from an engine under test, and what that engine declares about itself.
 */
import type { AppendRequest, Engine } from "../src/engine.ts";
import { QueueError } from "../src/errors.ts";

export interface EngineFeatures {
  /** As a reader of the test's output should see it. */
  readonly title: string;
  /** Everything committed is there after `reopen`. */
  readonly durable: boolean;
}

export interface EngineHarness {
  readonly engine: Engine;
  /** Resolves when the engine's clock has moved on by at least that much. */
  passTime(milliseconds: number): Promise<void>;
  /** Closes the engine and opens another one on the same storage; only where `durable`. */
  reopen(): Promise<EngineHarness>;
  /** Closes the engine and removes what it stored. */
  dispose(): Promise<void>;
}

export type OpenHarness = () => Promise<EngineHarness>;

export const topicName = "orders";

export async function withEngine(open: OpenHarness, body: (harness: EngineHarness) => Promise<void>): Promise<void> {
  const harness = await open();
  try {
    await harness.engine.declareTopics([
      { name: topicName, partitions: 4 },
      { name: "replies", partitions: 2, ringMessages: 10 },
    ]);
    await body(harness);
  } finally {
    await harness.dispose();
  }
}

export function message(text: string, partition = 0, topic = topicName): AppendRequest {
  return { topic, partition, key: `key-${text}`, value: Buffer.from(text) };
}

export async function texts(engine: Engine, partition = 0, from = 0, topic = topicName): Promise<string[]> {
  const found: string[] = [];
  for (let offset = from; ; ) {
    const messages = await engine.read(topic, partition, offset, { maxMessages: 100 });
    const last = messages.at(-1);
    if (last === undefined) return found;
    found.push(...messages.map(({ value }) => value.toString()));
    offset = last.offset + 1;
  }
}

/** The code with which the work was refused; throws when it was not. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof QueueError) return error.code;
    throw error;
  }
  throw new Error("it was not refused");
}

/** A log directory for tests, removed afterwards, and what tests do with it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Engine } from "../../engine.ts";
import { QueueError } from "../../errors.ts";
import { segmentHeaderBytes } from "./format/layout.ts";
import { type LogEngineOptions, openLogEngine } from "./open-log-engine.ts";
import { nodeDisk } from "./writing/disk.ts";

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "queue log "));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Enough where nothing fills the disk, and cheap where a log is made for each test. */
const smallReserveBytes = 64 * 1024;

/** On the real files, written in this thread unless `disk` is given as undefined. */
export async function openLog(directory: string, options: Omit<LogEngineOptions, "directory"> = {}): Promise<Engine> {
  const engine = await openLogEngine({ directory, disk: nodeDisk, reserveBytes: smallReserveBytes, ...options });
  onTestFinished(() => engine.close());
  await engine.declareTopics([{ name: "t", partitions: 4 }]);
  return engine;
}

export const append = (text: string, partition = 0) => ({
  append: [{ topic: "t", partition, key: "k", value: Buffer.from(text) }],
});

/** Makes a log of three segments or more with `count` messages of partition 0, each in a batch of its own. */
export async function makeLog(directory: string, count = 30): Promise<void> {
  const engine = await openLog(directory, { segmentBytes: 700 });
  for (let index = 0; index < count; index++) await engine.commit(append(String(index)));
  await engine.close();
}

export async function allTexts(engine: Engine, partition = 0, topic = "t"): Promise<string[]> {
  const texts: string[] = [];
  for (let offset = 0; ; ) {
    const messages = await engine.read(topic, partition, offset, { maxMessages: 7 });
    const last = messages.at(-1);
    if (last === undefined) return texts;
    texts.push(...messages.map(({ value }) => value.toString()));
    offset = last.offset + 1;
  }
}

export const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

export function segmentPaths(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".segment"))
    .sort()
    .map((name) => join(directory, name));
}

/** Everything in the directory: to show that nothing was touched. */
export function contentsOf(directory: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(directory).map((name) => [name, readFileSync(join(directory, name)).toString("base64")]),
  );
}

export function edit(path: string, change: (bytes: Buffer) => Buffer): void {
  writeFileSync(path, change(readFileSync(path)));
}

export async function refusalOf(work: Promise<unknown>): Promise<QueueError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof QueueError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

/** For `edit`: one bit of the byte there is another. */
export const flip = (position: number) => (bytes: Buffer) => {
  bytes[position] = (bytes[position] as number) ^ 0x10;
  return bytes;
};

/** Byte positions of the batches of a segment. */
export function batchesOf(path: string): number[] {
  const bytes = readFileSync(path);
  const found: number[] = [];
  for (let at = segmentHeaderBytes; at < bytes.length; at += bytes.readUInt32LE(at + 8)) found.push(at);
  return found;
}

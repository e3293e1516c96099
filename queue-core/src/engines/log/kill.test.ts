import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Engine } from "../../engine.ts";
import { temporaryDirectory } from "./log-bed.ts";
import { openLogEngine } from "./open-log-engine.ts";

const childPath = fileURLToPath(new URL("./appending-child.ts", import.meta.url));
const writers = 32;
const rounds = 5;

interface Acknowledged {
  readonly partition: number;
  readonly offset: number;
  readonly text: string;
}

function start(directory: string, round: number, count: number): ChildProcess {
  const child = spawn(process.execPath, [childPath, directory, String(round), String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

/** Kills the child after that many acknowledgements; resolves with all that it printed, once it is gone. */
async function killAfter(child: ChildProcess, count: number): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  const gone = once(child, "exit");
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const [partition, offset, text] = line.split(" ");
    // A line that the kill cut in two acknowledges nothing that can be looked up.
    if (text === undefined || !/^\d+\.\d+\.\d+$/.test(text)) continue;
    acknowledged.push({ partition: Number(partition), offset: Number(offset), text });
    if (acknowledged.length === count) child.kill("SIGKILL");
  }
  expect((await gone)[1]).toBe("SIGKILL");
  return acknowledged;
}

async function stored(engine: Engine): Promise<string[][]> {
  const partitions: string[][] = [];
  for (const partition of [0, 1, 2]) {
    const texts: string[] = [];
    for (let offset = 0; ; offset = texts.length) {
      const messages = await engine.read("t", partition, offset, { maxMessages: 1000 });
      if (messages.length === 0) break;
      for (const message of messages) {
        expect(message.offset).toBe(texts.length);
        texts.push(message.value.toString());
      }
    }
    partitions.push(texts);
  }
  return partitions;
}

describe("SIGKILL", () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

  it(`loses nothing acknowledged, invents nothing and keeps order (SEED=${seed})`, async () => {
    const directory = temporaryDirectory();
    const all: Acknowledged[] = [];
    let state = seed;
    for (let round = 0; round < rounds; round++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const acknowledged = await killAfter(start(directory, round, writers), 1 + (state % 1500));
      expect(acknowledged.length).toBeGreaterThan(0);
      all.push(...acknowledged);
    }
    const engine = await openLogEngine({ directory });
    onTestFinished(() => engine.close());
    const partitions = await stored(engine);

    for (const { partition, offset, text } of all) expect(partitions[partition]?.[offset]).toBe(text);

    const acknowledgedOf = Map.groupBy(all, ({ text }) => text.slice(0, text.lastIndexOf(".")));
    const storedOf = Map.groupBy(partitions.flat(), (text) => text.slice(0, text.lastIndexOf(".")));
    expect(storedOf.size).toBeLessThanOrEqual(rounds * writers);
    for (const [writer, texts] of storedOf) {
      // In order and without a gap; at most the one commit that was under way when the kill came, or whose line
      // was cut, stands beyond what was acknowledged.
      expect(texts).toEqual(texts.map((_, number) => `${writer}.${number}`));
      expect(texts.length - (acknowledgedOf.get(writer)?.length ?? 0)).toBeLessThanOrEqual(1);
    }
  }, 60_000);

  it("has nothing to do with an engine that is idle: it keeps no process alive, though nobody closed it", async () => {
    const directory = temporaryDirectory();
    const child = start(directory, 0, 0);
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
    const engine = await openLogEngine({ directory });
    onTestFinished(() => engine.close());
    expect(await stored(engine)).toEqual([["0.0.0"], [], []]);
  });
});

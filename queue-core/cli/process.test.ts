import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { segmentPaths, temporaryDirectory } from "../src/engines/log/log-bed.ts";
import { complaintOf, jsonOf, makeOrders, queueTool } from "./tool-bed.ts";

const writerPath = fileURLToPath(new URL("./writing-child.ts", import.meta.url));
const toolPath = fileURLToPath(new URL("./main.ts", import.meta.url));

interface Topics {
  readonly writerPid: number | null;
  readonly batches: number;
  readonly topics: readonly { readonly topic: string; readonly messages: number }[];
}

interface Peeked {
  readonly messages: readonly { readonly offset: number }[];
}

/** A system that publishes all the time. */
async function startWriter(directory: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [writerPath, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  await once(child.stdout as NodeJS.ReadableStream, "data");
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

describe("beside a process that writes all the time", () => {
  it("every look is whole, and sees what was there before it", async () => {
    const directory = temporaryDirectory();
    const writer = await startWriter(directory);
    let before = 0;
    const newestAtStart = segmentPaths(directory).at(-1) as string;
    // Until everything that was there at the start has gone, and a snapshot with it.
    for (let round = 0; round < 12 || (segmentPaths(directory)[0] as string) <= newestAtStart; round++) {
      const { batches, topics, writerPid } = (await jsonOf("topics", "numbers", "--dir", directory)) as Topics;
      expect(writerPid).toBe(writer.pid);
      expect(batches).toBeGreaterThan(before);
      before = batches;
      expect(topics[0]?.messages).toBeGreaterThan(0);
      const last = (await jsonOf("peek", "numbers", "--last", "--limit", "5", "--dir", directory)) as Peeked;
      expect(last.messages).toHaveLength(5);
      expect(await jsonOf("groups", "--dir", directory)).toMatchObject({ groups: [{ group: "readers" }] });
      expect(await jsonOf("dead", "numbers", "--dir", directory)).toMatchObject({ topic: "numbers" });
      const { code, out, err } = await queueTool("verify", directory);
      expect([code, err, out]).toEqual([0, "", expect.stringMatching(/^sound: \d+ files in/m)]);
    }
    await kill(writer);
    expect(((await jsonOf("topics", "--dir", directory)) as Topics).writerPid).toBe(null);
    expect((await queueTool("verify", directory)).code).toBe(0);
  }, 60_000);

  it("redrive is refused and names it", async () => {
    const directory = temporaryDirectory();
    const writer = await startWriter(directory);
    expect(await complaintOf("redrive", "numbers", "--group", "readers", "--dir", directory)).toBe(
      `process ${writer.pid} has ${directory} open; stop it first, or redrive inside it`,
    );
    await kill(writer);
    const { code, out } = await queueTool("redrive", "numbers", "--group", "readers", "--dir", directory);
    expect([code, out]).toEqual([0, expect.stringMatching(/^\d dead letters of group readers sent again on numbers/)]);
  });
});

describe("as a program", () => {
  const start = (...args: string[]) =>
    spawn(process.execPath, [toolPath, ...args], { stdio: ["ignore", "pipe", "pipe"] });

  async function resultOf(...args: string[]): Promise<{ code: unknown; out: string; err: string }> {
    const child = start(...args);
    const ended = once(child, "exit");
    const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { code, out, err };
  }

  it("prints results to standard output and problems to standard error, with the exit code", async () => {
    const good = await resultOf("topics", "--dir", await makeOrders());
    expect(good).toEqual({ code: 0, out: expect.stringMatching(/^TOPIC .*\norders .*\n/), err: "" });
    const bad = await resultOf("topics", "--dir", "/nowhere");
    expect(bad).toEqual({ code: 1, out: "", err: "/nowhere is not there\n" });
  });

  it("ends without a word when nobody reads on", async () => {
    const [path = ""] = segmentPaths(await makeOrders());
    const child = start("dump", path, "--full");
    child.stdout.destroy();
    expect(await text(child.stderr)).toBe("");
  });
});

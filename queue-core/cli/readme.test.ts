/** The README's sessions are what the tool prints. `UPDATE=1` writes them anew. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { segmentHeaderBytes } from "../src/engines/log/format/layout.ts";
import { edit, segmentPaths, temporaryDirectory } from "../src/engines/log/log-bed.ts";
import { runQueueTool } from "./queue-tool.ts";
import { makeOrders } from "./tool-bed.ts";

const readme = new URL("../README.md", import.meta.url);
const prompt = "$ npm run queue -- ";

/** `queue` holds orders, `damaged` the same with one flipped bit. */
async function makeLogs(): Promise<string> {
  const parent = temporaryDirectory();
  cpSync(await makeOrders(), join(parent, "queue"), { recursive: true });
  cpSync(join(parent, "queue"), join(parent, "damaged"), { recursive: true });
  edit(segmentPaths(join(parent, "damaged")).at(-1) as string, (bytes) => {
    const second = segmentHeaderBytes + bytes.readUInt32LE(segmentHeaderBytes + 8);
    bytes[second + 50] = (bytes[second + 50] as number) ^ 1;
    return bytes;
  });
  return parent;
}

async function sessionOf(command: string, parent: string): Promise<string> {
  const lines: string[] = [prompt + command];
  const print = (line: string) => lines.push(line);
  await runQueueTool({
    args: command.split(" "),
    program: "npm run queue --",
    print,
    complain: print,
    workingDirectory: parent,
    defaultDirectory: "queue",
  });
  return lines.join("\n").replaceAll(join(parent, "queue"), join(".data", "queue")).replaceAll(`${parent}/`, "");
}

it("every session in the README is what the tool prints", async () => {
  const parent = await makeLogs();
  const text = readFileSync(readme, "utf8");
  const blocks = [...text.matchAll(/```console\n(\$ npm run queue[\s\S]*?)```/g)].map(([, block = ""]) => block);
  expect(blocks.length).toBeGreaterThan(1);
  let current = text;
  for (const block of blocks) {
    const commands = block.split("\n").filter((line) => line.startsWith(prompt));
    const sessions: string[] = [];
    for (const command of commands) sessions.push(await sessionOf(command.slice(prompt.length), parent));
    current = current.replace(block, () => `${sessions.join("\n\n")}\n`);
  }
  if (process.env.UPDATE === "1") writeFileSync(readme, current);
  expect(text === current, "run it with UPDATE=1").toBe(true);
});

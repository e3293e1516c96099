import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { segmentHeaderBytes } from "../src/engines/log/format/layout.ts";
import { edit, makeLog, segmentPaths, temporaryDirectory } from "../src/engines/log/log-bed.ts";
import { retireGroup } from "../src/group-registry.ts";
import { complaintOf, makeOrders, openBed, orders, queueTool } from "./tool-bed.ts";

const linesOf = async (...args: string[]) => (await queueTool("dump", ...args)).out.split("\n");

describe("dump", () => {
  it("shows each batch and each record in it, a line each", async () => {
    const [first = ""] = segmentPaths(await makeOrders());
    const lines = await linesOf(first);
    expect(lines[0]).toMatch(/^segment of log (ab){8}, 1\.6 KiB, from batch 0 on$/);
    expect(lines[1]).toBe("batch 0 at byte 32: 47 bytes, 1 commit from 0 on, 2026-07-01T03:00:00.000Z");
    expect(lines[2]).toBe("  0  opened   by an engine, as number 1");
    expect(lines).toContain("  1  declare  orders, 2 partitions");
    expect(lines).toContain("  1  declare  replies, 256 partitions, a ring of 65,536");
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}\d+ {2}advance {2}audit on orders\/1 to 0$/));
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}\d+ {2}put {6}\$groups\/orders {2}"audit" {2}1 byte$/));
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}\d+ {2}append {3}orders\/0 offset 1 {2}key "user 0" {2}28 bytes {2}id order-3$/),
    );
  });

  it("names topics that an earlier segment declared", async () => {
    const [, second = ""] = segmentPaths(await makeOrders());
    expect(await linesOf(second)).toContainEqual(expect.stringMatching(/append {3}orders\/1 offset \d/));
  });

  it("shows what retires a group, what deletes an entry, and when one expires", async () => {
    const { queue, directory } = await openBed();
    await queue.publish(orders, { user: "a", number: 1 }, { id: "send-1" });
    await retireGroup(queue.engine, "old", orders.name);
    const lines = await linesOf(segmentPaths(directory)[0] as string);
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}2 {2}put .*\$seen.*"send-1" {2}0 bytes {2}until 2026-07-01T03:10/),
    );
    expect(lines).toContain("  3  retire   old from orders");
    expect(lines).toContain('  3  delete   $groups/orders  "old"');
  });

  it("shows the batches that are asked for, and their values", async () => {
    const [first = ""] = segmentPaths(await makeOrders());
    const lines = await linesOf(first, "--from", "1", "--limit", "1");
    expect(lines.filter((line) => line.startsWith("batch"))).toEqual([expect.stringMatching(/^batch 1 at byte 79/)]);
    expect((await linesOf(first, "--full")).join("\n")).toContain(
      '28 bytes  id order-3\n      {\n        "user": "user 0",',
    );
  });

  it("gives one JSON object a line to machines", async () => {
    const [first = ""] = segmentPaths(await makeOrders());
    const records = (await linesOf(first, "--json")).map((line) => JSON.parse(line));
    expect(records[1]).toMatchObject({ kind: "batch", batch: 0, position: 32, bytes: 47, commits: 1 });
    expect(records.filter(({ kind }) => kind === "append")[2]).toMatchObject({
      topic: "orders",
      headers: { id: "order-3" },
      encoding: "json",
      value: { user: "user 0", number: 3 },
    });
  });

  it("goes on behind damage, and its exit code tells of it", async () => {
    const directory = temporaryDirectory();
    await makeLog(directory);
    const [, path = ""] = segmentPaths(directory);
    const batches = (await linesOf(path)).filter((line) => line.startsWith("batch "));
    const secondAt = segmentHeaderBytes + readFileSync(path).readUInt32LE(segmentHeaderBytes + 8);
    edit(path, (bytes) => bytes.fill(0, secondAt + 40, secondAt + 44));
    const { code, out } = await queueTool("dump", path);
    expect(code).toBe(1);
    const lines = out.split("\n").filter((line) => !line.startsWith("  "));
    expect(lines.slice(1)).toEqual([
      batches[0],
      expect.stringMatching(new RegExp(`^DAMAGE at byte ${secondAt}: \\d+ bytes are no whole batch$`)),
      ...batches.slice(2),
    ]);
  });

  it("still names topics declared before damage in an earlier segment", async () => {
    const [first = "", second = ""] = segmentPaths(await makeOrders());
    edit(first, (bytes) => bytes.fill(0, 1_000, 1_004));
    expect((await queueTool("dump", second)).out).toContain("append   orders/0 offset");
  });

  it("tells a torn tail without calling it damage, and numbers topics where their names are lost", async () => {
    const directory = temporaryDirectory();
    await makeLog(directory);
    const [first = "", second = ""] = segmentPaths(directory);
    edit(second, (bytes) => bytes.subarray(0, bytes.length - 3));
    edit(first, (bytes) => bytes.fill(0, 40));
    const { code, out } = await queueTool("dump", second);
    expect(code).toBe(0);
    expect(out.split("\n").at(-1)).toMatch(
      /^DAMAGE at byte \d+: \d+ bytes are no whole batch, nor does one follow: torn/,
    );
    expect(out).toContain("append   topic #0/0 offset");
  });

  it("refuses what is no file of a log, in one line", async () => {
    const directory = temporaryDirectory();
    await makeLog(directory);
    const [path = ""] = segmentPaths(directory);
    expect(await complaintOf("dump", directory)).toBe(`${directory} is a directory; name a file of the log`);
    expect(await complaintOf("dump", `${directory}/none`)).toBe(`${directory}/none is not there`);
    edit(path, (bytes) => bytes.fill(7, 20, 24));
    expect(await complaintOf("dump", path)).toBe(
      `${path} at byte 0: the header is damaged, and without its log id no batch can be told`,
    );
    edit(path, (bytes) => bytes.fill(9, 4, 6));
    expect(await complaintOf("dump", path)).toBe(`${path} was written by another version of queue-core`);
    edit(path, () => Buffer.from("dear diary"));
    expect(await complaintOf("dump", path)).toBe(
      `${path} is neither a segment nor a snapshot: it does not begin like one`,
    );
  });
});

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { edit, makeLog, segmentPaths, temporaryDirectory } from "../src/engines/log/log-bed.ts";
import { complaintOf, makeOrders, queueTool } from "./tool-bed.ts";

const commands = ["topics", "groups", "peek", "dead", "redrive", "verify", "dump"];

describe("the call", () => {
  it("explains itself: all commands, and each with its options", async () => {
    const overview = await queueTool("--help");
    expect(overview.code).toBe(0);
    for (const command of commands) {
      expect(overview.out).toMatch(new RegExp(`^ {2}${command} `, "m"));
      const { code, out } = await queueTool(command, "--help");
      expect([code, out.split("\n")[0]]).toEqual([
        0,
        expect.stringMatching(new RegExp(`^queue ${command} .*\\[options\\]$`)),
      ]);
      expect(out).toContain("--json");
    }
  });

  it("shows what there is when nothing is asked, and that is no success", async () => {
    expect(await queueTool()).toMatchObject({ code: 1, err: "", out: expect.stringContaining("topics [topic]") });
  });

  it.each([
    [["tpoics"], "there is no command tpoics; there are topics, groups, peek, dead, redrive, verify, dump"],
    [["topics", "--dri", "x"], "topics: Unknown option '--dri'; see queue topics --help"],
    [["topics", "--from", "1"], "topics: Unknown option '--from'; see queue topics --help"],
    [["topics"], "topics: --dir is missing: which log directory?"],
    [["topics", "a", "b"], 'topics: unexpected argument "b"; see queue topics --help'],
    [["peek"], "peek: <topic> is missing; see queue peek --help"],
    [["peek", "t", "--limit"], "peek: Option '--limit <value>' argument missing; see queue peek --help"],
    [["peek", "t", "--limit", "0"], 'peek: --limit must be a whole number from 1 on, not "0"; see queue peek --help'],
    [["peek", "t", "--from=-1"], 'peek: --from must be a whole number from 0 on, not "-1"; see queue peek --help'],
    [["peek", "t", "--limit", "-1"], 'peek: --limit must be a whole number from 1 on, not "-1"; see queue peek --help'],
    [["topics", "--dir", ""], "topics: --dir is empty; see queue topics --help"],
    [["peek", "t", "--json=yes"], "peek: Option '--json' does not take an argument; see queue peek --help"],
    [["verify", "a", "--dir", "b"], "verify: name the directory once, as the argument or with --dir"],
    [["redrive", "t", "--dir", "x"], "redrive: --group is missing: whose dead letters?"],
  ])("refuses %j in one line", async (args, line) => {
    expect(await complaintOf(...args)).toBe(line);
  });
});

describe("what is no log", () => {
  it.each(["topics", "groups", "verify"])("is refused by %s in one line that says what it is", async (command) => {
    const directory = temporaryDirectory();
    const complaint = () => complaintOf(command, "--dir", directory);
    expect(await complaint()).toBe(`${directory} is empty: nothing was stored there yet`);
    writeFileSync(join(directory, "notes.txt"), "hello");
    expect(await complaint()).toBe(
      `${directory} is no log directory: it holds one file, but no segment and no snapshot`,
    );
    const inside = join(directory, "queue");
    mkdirSync(inside);
    await makeLog(inside);
    expect(await complaint()).toBe(`${directory} is no log directory, but ${inside} is one`);
    const file = join(directory, "notes.txt");
    expect(await complaintOf(command, "--dir", file)).toBe(`${file} is a file; name the log's directory`);
    expect(await complaintOf(command, "--dir", join(directory, "none"))).toBe(
      `${join(directory, "none")} is not there`,
    );
  });
});

describe("a damaged log", () => {
  it("is refused with file and offset", async () => {
    const directory = temporaryDirectory();
    await makeLog(directory);
    const [path = ""] = segmentPaths(directory);
    edit(path, (bytes) => bytes.fill(0, 100, 104));
    expect(await complaintOf("topics", "--dir", directory)).toMatch(/^CORRUPT: .*\.segment at byte \d+: a batch/);
    edit(path, (bytes) => bytes.fill(9, 4, 6));
    expect(await complaintOf("topics", "--dir", directory)).toBe(
      `UNKNOWN_FORMAT: ${path} at byte 0 was written by another version of queue-core`,
    );
  });

  it("with nothing but a torn tail is shown up to it", async () => {
    const directory = await makeOrders();
    edit(segmentPaths(directory).at(-1) as string, (bytes) => bytes.subarray(0, bytes.length - 1));
    const { code, out } = await queueTool("topics", "--dir", directory);
    expect(code).toBe(0);
    expect(out).toMatch(/its last \d+ bytes are no whole batch: torn by a crash; the next start cuts them off$/);
  });
});

import { describe, expect, it } from "vitest";
import { contentsOf } from "../src/engines/log/log-bed.ts";
import { registerGroup } from "../src/group-registry.ts";
import { deadLetterNamespace } from "../src/namespaces.ts";
import { complaintOf, jsonOf, makeOrders, openBed, orders, queueTool, raw } from "./tool-bed.ts";

const at = "2026-07-01T03:00:00.000Z";

/** What stands above the last line, which tells how far the view reaches. */
async function tableOf(...args: string[]): Promise<string> {
  const { code, out, err } = await queueTool(...args);
  expect([code, err]).toEqual([0, ""]);
  const lines = out.split("\n");
  expect(lines.slice(-2)).toEqual([
    "",
    expect.stringMatching(/: 2 segments of .* KiB, \d+ batches up to .*; no process/),
  ]);
  return lines.slice(0, -2).join("\n");
}

describe("topics", () => {
  it("lists what each topic keeps and who reads it", async () => {
    expect(await tableOf("topics", "--dir", await makeOrders())).toBe(
      [
        "TOPIC    PARTITIONS  READABLE  EVER STORED    RING  GROUPS",
        "orders            2        12           12       –  audit, sms",
        "raw               1         0            0       –  –",
        "replies         256         0            0  65,536  –",
      ].join("\n"),
    );
  });

  it("lists the partitions of one topic, or one of them", async () => {
    const directory = await makeOrders();
    const title = "TOPIC/PARTITION  START  END  READABLE";
    const first = "orders/0             0    8         8";
    const second = "orders/1             0    4         4";
    expect(await tableOf("topics", "orders", "--dir", directory)).toBe([title, first, second].join("\n"));
    expect(await tableOf("topics", "orders", "--partition", "1", "--dir", directory)).toBe([title, second].join("\n"));
    expect(await jsonOf("topics", "orders", "--partition", "1", "--dir", directory)).toMatchObject({
      segments: 2,
      writerPid: null,
      topics: [{ topic: "orders", ringMessages: null, partitions: [{ partition: 1, start: 0, end: 4, messages: 4 }] }],
    });
    expect(await complaintOf("topics", "orders", "--partition", "2", "--dir", directory)).toBe(
      "orders has 2 partitions, from 0 to 1; there is no 2",
    );
  });
});

describe("groups", () => {
  it("lists who is behind, the furthest first, and what they gave up on", async () => {
    expect(await tableOf("groups", "--dir", await makeOrders())).toBe(
      [
        "GROUP  TOPIC   LAG  MOST IN      DEAD  LAST COMMIT               KNOWN SINCE",
        `audit  orders   12  orders/0: 8     0  ${at}  ${at}`,
        `sms    orders    0  –               2  2026-07-01T03:00:11.250Z  ${at}`,
      ].join("\n"),
    );
  });

  it("lists a group partition by partition", async () => {
    const directory = await makeOrders();
    expect(await tableOf("groups", "--group", "audit", "--dir", directory)).toBe(
      [
        "GROUP  TOPIC/PARTITION  COMMITTED  END  LAG  LAST COMMIT               KNOWN SINCE",
        `audit  orders/0                 0    8    8  ${at}  ${at}`,
        `audit  orders/1                 0    4    4  ${at}  ${at}`,
      ].join("\n"),
    );
    expect(await jsonOf("groups", "orders", "--group", "sms", "--dir", directory)).toMatchObject({
      groups: [{ group: "sms", lagMessages: 0, deadLetters: 2, partitions: [{ committed: 8 }, { committed: 4 }] }],
    });
    expect(await complaintOf("groups", "--group", "mail", "--dir", directory)).toBe(
      "there is no group mail; there are audit, sms",
    );
  });

  it("tells when a group was last known to move, from its registration on", async () => {
    const { queue, directory, clock } = await openBed();
    await queue.publish(orders, { user: "a", number: 1 });
    await registerGroup(queue.engine, "late", orders);
    clock.advance(60_000);
    await queue.engine.commit({ advance: { group: "late", topic: "orders", partition: 0, to: 0 } });
    expect(await jsonOf("groups", "--dir", directory)).toMatchObject({
      groups: [{ group: "late", knownSinceMs: Date.parse(at), lastCommitMs: Date.parse(at) + 60_000 }],
    });
  });
});

describe("peek", () => {
  it("shows messages with place, time, key, headers and value, in order of time", async () => {
    const { out } = await queueTool("peek", "orders", "--limit", "2", "--dir", await makeOrders());
    expect(out).toBe(
      [
        `orders/0 at offset 0   ${at}   key "user 1"`,
        "  id        order-1",
        "  value     28 bytes",
        "    {",
        '      "user": "user 1",',
        '      "number": 1',
        "    }",
        "",
        'orders/1 at offset 0   2026-07-01T03:00:01.000Z   key "user 2"',
        "  id        order-2",
        "  value     28 bytes",
        "    {",
        '      "user": "user 2",',
        '      "number": 2',
        "    }",
      ].join("\n"),
    );
  });

  const offsetsOf = async (...args: string[]) => {
    const { messages } = (await jsonOf("peek", "orders", ...args)) as {
      messages: { partition: number; offset: number }[];
    };
    return messages.map(({ partition, offset }) => `${partition}:${offset}`);
  };

  it("begins where it is told: at an offset, with the newest, or where a group stands", async () => {
    const directory = await makeOrders();
    const at = (...args: string[]) => offsetsOf(...args, "--limit", "2", "--dir", directory);
    expect(await at("--partition", "0", "--from", "5")).toEqual(["0:5", "0:6"]);
    expect(await at("--partition", "0", "--last")).toEqual(["0:6", "0:7"]);
    expect(await at("--partition", "1", "--group", "audit")).toEqual(["1:0", "1:1"]);
    expect(await at("--partition", "1", "--group", "sms")).toEqual([]);
    expect(await at("--partition", "1", "--from", "99")).toEqual([]);
  });

  it("refuses starts that make no sense", async () => {
    const directory = await makeOrders();
    const complaint = (...args: string[]) => complaintOf("peek", "orders", ...args, "--dir", directory);
    expect(await complaint("--from", "3")).toBe("peek: --from is an offset of one partition; name it with --partition");
    expect(await complaint("--last", "--group", "sms")).toBe("peek: --group and --last exclude each other");
    expect(await complaint("--group", "mail")).toBe("group mail has no offset on orders");
  });

  it("shows bytes that are no text in hex, and lets no escape sequence through to the terminal", async () => {
    const { queue, directory } = await openBed();
    await queue.publish(raw, Buffer.from([0, 1, 0xff]), { ext: { note: "\u001b[2J" } });
    await queue.publish(raw, Buffer.from("\u001b[31mred\nsecond line"));
    const { out } = await queueTool("peek", "raw", "--dir", directory);
    expect(out).toContain("  header    note: \\u001b[2J");
    expect(out).toContain("    000000  00 01 ff                                         ...");
    expect(out).toContain("    \\u001b[31mred\n    second line");
    expect(await jsonOf("peek", "raw", "--dir", directory)).toMatchObject({
      messages: [
        { encoding: "base64", value: "AAH/" },
        { encoding: "text", value: "\u001b[31mred\nsecond line" },
      ],
    });
  });

  it("shortens a long value unless it is wanted whole", async () => {
    const { queue, directory } = await openBed();
    await queue.publish(raw, Buffer.from("x".repeat(5_000)));
    expect((await queueTool("peek", "raw", "--dir", directory)).out).toMatch(
      /x{2048}\n {4}… 5000 bytes in all; --full/,
    );
    expect((await queueTool("peek", "raw", "--full", "--dir", directory)).out).toMatch(/x{5000}$/);
  });

  it("says so when there is nothing", async () => {
    const { directory } = await openBed();
    expect((await queueTool("peek", "raw", "--dir", directory)).out).toBe("there are no messages to show");
  });
});

describe("dead", () => {
  it("shows what a group gave up on, why, and every error before", async () => {
    const { out } = await queueTool("dead", "orders", "--limit", "1", "--dir", await makeOrders());
    expect(out).toBe(
      [
        "2 dead letters of group sms on orders",
        "",
        'orders/0 at offset 1   2026-07-01T03:00:02.000Z   key "user 0"',
        "  reason    no phone number",
        "  attempts  1",
        `  error     2026-07-01T03:00:02.250Z  no phone number`,
        "  id        order-3",
        "  value     28 bytes",
        "    {",
        '      "user": "user 0",',
        '      "number": 3',
        "    }",
        "",
        "… 1 more; --limit shows them",
        "",
        "send them again: queue redrive orders --group <group>",
      ].join("\n"),
    );
  });

  it("says so when there are none", async () => {
    const directory = await makeOrders();
    expect((await queueTool("dead", "raw", "--dir", directory)).out).toBe("no group gave up on a message of raw");
    expect(await jsonOf("dead", "orders", "--group", "audit", "--dir", directory)).toEqual({
      topic: "orders",
      groups: [],
    });
  });

  it("shows an entry that is no message of a group as it is", async () => {
    const { queue, directory } = await openBed();
    const namespace = deadLetterNamespace("$delay", "orders");
    await queue.engine.commit({ put: [{ namespace, key: "000000000000001-a", value: Buffer.from("odd") }] });
    const { out } = await queueTool("dead", "orders", "--dir", directory);
    expect(out).toContain(
      'entry "000000000000001-a": a delayed message that could not be moved\n  value     3 bytes\n    odd',
    );
  });
});

it("looking changes nothing", async () => {
  const directory = await makeOrders();
  const before = contentsOf(directory);
  for (const args of [["topics"], ["groups"], ["peek", "orders"], ["dead", "orders"], ["verify"]]) {
    expect((await queueTool(...args, "--dir", directory)).code).toBe(0);
  }
  expect(contentsOf(directory)).toEqual(before);
});

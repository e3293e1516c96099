import { describe, expect, it, onTestFinished } from "vitest";
import { deadLetterEntry } from "../src/dead-letters.ts";
import { contentsOf } from "../src/engines/log/log-bed.ts";
import { openLogEngine } from "../src/engines/log/open-log-engine.ts";
import { openQueue } from "../src/open-queue.ts";
import { done } from "../src/queue.ts";
import { runQueueTool } from "./queue-tool.ts";
import { complaintOf, jsonOf, makeOrders, orders, queueTool, raw } from "./tool-bed.ts";

describe("redrive", () => {
  it("sends the dead letters of a group to it again, and says how many", async () => {
    const directory = await makeOrders();
    const { code, out } = await queueTool("redrive", "orders", "--group", "sms", "--dir", directory);
    expect([code, out]).toEqual([
      0,
      "2 dead letters of group sms sent again on orders; it gets them at its next start",
    ]);

    const engine = await openLogEngine({ directory });
    const queue = await openQueue({ engine, topics: [orders, raw] });
    onTestFinished(() => queue.stop());
    const got: number[] = [];
    const gotAll = Promise.withResolvers<void>();
    await queue.consume({
      group: "sms",
      topic: orders,
      handle: async ([order]) => {
        if (got.push(order?.value.number ?? 0) === 2) gotAll.resolve();
        return done;
      },
    });
    await gotAll.promise;
    expect(got.sort()).toEqual([3, 7]);
    await queue.stop();
    expect(await jsonOf("redrive", "orders", "--group", "sms", "--dir", directory)).toEqual({
      group: "sms",
      topic: "orders",
      redriven: 0,
    });
  });

  it("changes nothing where it has nothing to do or does not understand", async () => {
    const directory = await makeOrders();
    const before = contentsOf(directory);
    const { code, out } = await queueTool("redrive", "orders", "--group", "audit", "--dir", directory);
    expect([code, out]).toEqual([0, "group audit has no dead letters on orders; nothing was changed"]);
    expect(await complaintOf("redrive", "orders", "--group", "mail", "--dir", directory)).toBe(
      "group mail does not read orders, so nobody would get what is redriven for it; it is read by audit, sms",
    );
    expect(await complaintOf("redrive", "orderz", "--group", "sms", "--dir", directory)).toBe(
      "there is no topic orderz; there are orders, raw, replies",
    );
    expect(contentsOf(directory)).toEqual(before);
  });

  it("makes a dead half message one again, for its sender's group to be asked, though that reads nothing", async () => {
    const directory = await makeOrders();
    const engine = await openLogEngine({ directory });
    const half = { topic: "orders", partition: 0, offset: -1, timestampMs: 1, key: "9", headers: {} };
    const death = { attempt: 15, reason: "no answer", history: [], id: "half-1" };
    await engine.commit({
      put: [deadLetterEntry("sender", half, orders.codec.encode({ user: "9", number: 9 }), death)],
    });
    await engine.close();
    const { code, out } = await queueTool("redrive", "orders", "--group", "sender", "--dir", directory);
    expect([code, out]).toEqual([
      0,
      "1 half message of group sender open again on orders; its check-back is asked at its next start",
    ]);
    const after = await openLogEngine({ directory });
    onTestFinished(() => after.close());
    expect((await after.scanState("$half/sender/orders", { limit: 10 })).map(({ key }) => key)).toEqual(["half-1"]);
  });

  it("is refused while a process has the log open, names it, and tells how to do it then", async () => {
    const directory = await makeOrders();
    const engine = await openLogEngine({ directory });
    onTestFinished(() => engine.close());
    const complaints: string[] = [];
    const run = (defaultDirectory: string) =>
      runQueueTool({
        args: ["redrive", "orders", "--group", "sms", "--dir", directory],
        program: "queue",
        print: () => {},
        complain: (line) => complaints.push(line),
        defaultDirectory,
        redriveWhileOpen: (group, topic) => `ask it for ${group} on ${topic}`,
      });
    expect([await run(directory), await run("/elsewhere")]).toEqual([1, 1]);
    expect(complaints).toEqual([
      `process ${process.pid} has ${directory} open; ask it for sms on orders`,
      `process ${process.pid} has ${directory} open; stop it first, or redrive inside it`,
    ]);
    expect(await jsonOf("dead", "orders", "--group", "sms", "--dir", directory)).toMatchObject({
      groups: [{ count: 2 }],
    });
  });
});

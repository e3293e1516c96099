import { expect, it } from "vitest";
import { defineTopic, type HalfMessage, type LocalTransactionState } from "../src/index.ts";
import { gate, onEveryEngine } from "./queue-bed.ts";

interface Order {
  readonly id: string;
}

const orders = defineTopic<Order>({ name: "orders", partitions: 1, keyOf: (order) => order.id });

onEveryEngine("half messages", (bed) => {
  const open = () => bed().queue([orders]);
  type Opened = Awaited<ReturnType<typeof open>>;
  const ids = async (queue: Opened) => (await queue.browse(orders, 0, 0, 100)).map(({ value }) => value.id);
  const never = async (): Promise<LocalTransactionState> => {
    throw new Error("no check-back was expected");
  };
  const sender = (
    queue: Opened,
    checkBack: (half: HalfMessage<Order>) => Promise<LocalTransactionState>,
    options: { readonly checkEveryMs?: number; readonly maxChecks?: number } = {},
  ) => queue.transactional<Order>({ group: "sales", topic: orders, checkBack, checkAfterMs: 6_000, ...options });
  const lost = async (): Promise<LocalTransactionState> => {
    throw new Error("the power went");
  };

  it("are invisible while the local transaction runs, and all visible once it commits", async () => {
    const queue = await open();
    const publisher = await sender(queue, never);
    await publisher.publish([{ id: "o1" }, { id: "o2" }], async () => {
      await bed().settle();
      expect(await ids(queue)).toEqual([]);
      return "commit";
    });
    expect(await ids(queue)).toEqual(["o1", "o2"]);
    bed().timers.advance(100_000);
    await bed().settle();
    expect(bed().faults).toEqual([]);
  });

  it("are never visible when the local transaction rolls back", async () => {
    const queue = await open();
    const publisher = await sender(queue, never);
    await publisher.publish([{ id: "o1" }], async () => "rollback");
    bed().timers.advance(100_000);
    await bed().settle();
    expect(await ids(queue)).toEqual([]);
    expect(bed().faults).toEqual([]);
  });

  it("of a sender that died are ended by the answer that another instance of its group gives", async () => {
    const [dying, alive] = [await open(), await open()];
    const publisher = await sender(dying, never);
    await publisher.publish([{ id: "kept" }, { id: "dropped" }], async () => {
      throw new Error("the power went");
    });
    await publisher.stop();
    const asked: string[] = [];
    const before = alive.now();
    await sender(alive, async (half) => {
      asked.push(half.value.id);
      expect(alive.now() - half.storedAtMs).toBeGreaterThanOrEqual(6_000);
      return half.value.id === "kept" ? "commit" : "rollback";
    });
    await bed().eventually(() => asked.length === 2);
    expect(alive.now() - before).toBeGreaterThanOrEqual(6_000);
    await bed().eventually(async () => (await ids(alive)).length === 1);
    bed().timers.advance(100_000);
    await bed().settle();
    expect(await ids(alive)).toEqual(["kept"]);
    expect(asked).toEqual(["kept", "dropped"]);
  });

  it("reject the sender's late commit with HALF_ROLLED_BACK where a check-back rolled back first", async () => {
    const [queue, other] = [await open(), await open()];
    let isChecked = false;
    const publisher = await sender(queue, never);
    await sender(other, async () => {
      isChecked = true;
      return "rollback";
    });
    const slow = gate();
    const result = publisher.publish([{ id: "o1" }], async () => {
      await slow.promise;
      return "commit";
    });
    const rejected = expect(result).rejects.toMatchObject({ code: "HALF_ROLLED_BACK" });
    await bed().eventually(() => isChecked);
    slow.open();
    await rejected;
    expect(await ids(queue)).toEqual([]);
  });

  it("tell their sender what is known of them: that they are visible, dropped, or left to the check-back", async () => {
    const queue = await open();
    const publisher = await sender(queue, never);
    const answers: LocalTransactionState[] = [];
    for (const state of ["commit", "rollback", "unknown"] as const) {
      answers.push(await publisher.publish([{ id: state }], async () => state));
    }
    answers.push(await publisher.publish([{ id: "lost" }], lost));
    expect(answers).toEqual(["commit", "rollback", "unknown", "unknown"]);
    expect(await ids(queue)).toEqual(["commit"]);
  });

  it("that were rolled back are remembered for a day: a sender that was still for so long is told", async () => {
    const [queue, other] = [await open(), await open()];
    const publisher = await sender(queue, never);
    let isChecked = false;
    await sender(other, async () => {
      isChecked = true;
      return "rollback";
    });
    const slow = gate();
    const result = publisher.publish([{ id: "o1" }], async () => {
      await slow.promise;
      return "commit";
    });
    const rejected = expect(result).rejects.toMatchObject({ code: "HALF_ROLLED_BACK" });
    await bed().eventually(() => isChecked);
    await bed().settle();
    bed().timers.advance(23 * 3_600_000);
    await bed().settle();
    slow.open();
    await rejected;
  });

  it("resolve the sender's late commit where a check-back committed first, and are there once", async () => {
    const [queue, other] = [await open(), await open()];
    const publisher = await sender(queue, never);
    await sender(other, async () => "commit");
    const slow = gate();
    const result = publisher.publish([{ id: "o1" }], async () => {
      await slow.promise;
      return "commit";
    });
    await bed().eventually(async () => (await ids(queue)).length === 1);
    slow.open();
    await result;
    expect(await ids(queue)).toEqual(["o1"]);
  });

  it("of two senders in one process are each their own, also when stored in the same ms", async () => {
    const queue = await open();
    const [one, two] = [await sender(queue, never), await sender(queue, never)];
    await Promise.all([
      one.publish([{ id: "o1" }], async () => "commit"),
      two.publish([{ id: "o2" }], async () => "commit"),
    ]);
    expect((await ids(queue)).sort()).toEqual(["o1", "o2"]);
  });

  it("are dead-lettered after maxChecks without an answer, and a commit after that is refused", async () => {
    const [queue, other] = [await open(), await open()];
    const publisher = await sender(queue, never);
    const checks: number[] = [];
    await sender(
      other,
      async (half) => {
        checks.push(half.checks);
        return "unknown";
      },
      { maxChecks: 3, checkEveryMs: 6_000 },
    );
    const slow = gate();
    const result = publisher.publish([{ id: "o1" }], async () => {
      await slow.promise;
      return "commit";
    });
    const rejected = expect(result).rejects.toMatchObject({ code: "HALF_ROLLED_BACK" });
    await bed().eventually(async () => (await queue.deadLetters("sales", orders, 10)).length === 1);
    expect(checks).toEqual([1, 2, 3]);
    await bed().eventually(async () =>
      bed().faults.some(({ where }) => where.startsWith("dead letter of group sales from orders/")),
    );
    slow.open();
    await rejected;
    const [letter] = await queue.deadLetters("sales", orders, 10);
    expect(letter).toMatchObject({ reason: "no answer after 3 checks", message: { value: { id: "o1" }, offset: -1 } });
  });

  it("that are redriven are asked about before anybody sees them, and never seen where they rolled back", async () => {
    const queue = await open();
    const committed = new Set<string>();
    let knows = false;
    const publisher = await sender(
      queue,
      async ({ value }) => {
        if (!knows) return "unknown";
        return committed.has(value.id) ? "commit" : "rollback";
      },
      { maxChecks: 1 },
    );
    await publisher.publish([{ id: "committed" }], async () => {
      committed.add("committed");
      throw new Error("the connection broke after the commit");
    });
    await publisher.publish([{ id: "rolled back" }], lost);
    await bed().eventually(async () => (await queue.deadLetters("sales", orders, 10)).length === 2);
    knows = true;
    expect(await queue.redrive("sales", orders)).toBe(2);
    expect(await ids(queue)).toEqual([]);
    await bed().eventually(async () => (await ids(queue)).length === 1);
    bed().timers.advance(100_000);
    await bed().settle();
    expect(await ids(queue)).toEqual(["committed"]);
    expect(await queue.deadLetters("sales", orders, 10)).toEqual([]);
  });
});

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
    maxChecks = 15,
  ) => queue.transactional<Order>({ group: "sales", topic: orders, checkBack, checkAfterMs: 6_000, maxChecks });

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
    const queue = await open();
    const checked = gate();
    const publisher = await sender(queue, async () => {
      checked.open();
      return "rollback";
    });
    const slow = gate();
    const result = publisher.publish([{ id: "o1" }], async () => {
      await slow.promise;
      return "commit";
    });
    const rejected = expect(result).rejects.toMatchObject({ code: "HALF_ROLLED_BACK" });
    let isChecked = false;
    void checked.promise.then(() => {
      isChecked = true;
    });
    await bed().eventually(() => isChecked);
    slow.open();
    await rejected;
    expect(await ids(queue)).toEqual([]);
  });

  it("resolve the sender's late commit where a check-back committed first, and are there once", async () => {
    const queue = await open();
    const publisher = await sender(queue, async () => "commit");
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

  it("are dead-lettered after maxChecks without an answer, and a commit after that is refused", async () => {
    const queue = await open();
    const checks: number[] = [];
    const publisher = await sender(
      queue,
      async (half) => {
        checks.push(half.checks);
        if (half.checks === 2) throw new Error("database down");
        return "unknown";
      },
      3,
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
    expect(await queue.redrive("sales", orders)).toBe(1);
    expect(await ids(queue)).toEqual(["o1"]);
  });
});

import { expect, it } from "vitest";
import { defineTopic, type HalfMessage, type LocalTransactionState } from "../src/index.ts";
import { gate, onEveryEngine } from "./queue-bed.ts";

interface Order {
  readonly id: string;
}

const orders = defineTopic<Order>({ name: "orders", partitions: 1, keyOf: (order) => order.id });

onEveryEngine("the check-back of half messages", (bed) => {
  const open = () => bed().queue([orders]);
  type Opened = Awaited<ReturnType<typeof open>>;
  const ids = async (queue: Opened) => (await queue.browse(orders, 0, 0, 100)).map(({ value }) => value.id);
  const sender = (
    queue: Opened,
    checkBack: (half: HalfMessage<Order>) => Promise<LocalTransactionState>,
    options: { readonly checkEveryMs?: number; readonly maxChecks?: number } = {},
  ) => queue.transactional<Order>({ group: "sales", topic: orders, checkBack, checkAfterMs: 6_000, ...options });
  const noWord = async () => "unknown" as const;

  it("does not ask about a local transaction that runs in this process, however long it runs", async () => {
    const queue = await open();
    const database = new Set<string>();
    const asked: string[] = [];
    const publisher = await sender(queue, async ({ value }) => {
      asked.push(value.id);
      return database.has(value.id) ? "commit" : "rollback";
    });
    const slow = gate();
    const publishing = publisher.publish([{ id: "o1" }], async () => {
      await slow.promise;
      database.add("o1");
      throw new Error("the connection broke after the commit");
    });
    const startedMs = queue.now();
    await bed().eventually(() => queue.now() - startedMs > 20_000);
    expect(asked).toEqual([]);
    slow.open();
    await publishing;
    await bed().eventually(async () => (await ids(queue)).length === 1);
    expect(asked).toEqual(["o1"]);
  });

  it("asks again a minute after it was told unknown, unless told otherwise", async () => {
    const queue = await open();
    const askedMs: number[] = [];
    const publisher = await sender(queue, async ({ checks }) => {
      askedMs.push(queue.now());
      return checks === 2 ? "commit" : "unknown";
    });
    await publisher.publish([{ id: "o1" }], noWord);
    await bed().eventually(() => askedMs.length === 1);
    bed().timers.advance(50_000);
    await bed().settle();
    await bed().eventually(() => askedMs.length === 2);
    expect((askedMs[1] as number) - (askedMs[0] as number)).toBeGreaterThanOrEqual(60_000);
  });

  it("gives nothing up while it cannot be answered: a throw spends no check, and is tried again when it passes", async () => {
    const queue = await open();
    let isDown = true;
    let tried = 0;
    const publisher = await sender(
      queue,
      async () => {
        tried++;
        if (isDown) throw new Error("connection refused");
        return "commit";
      },
      { maxChecks: 2 },
    );
    await publisher.publish([{ id: "o1" }], noWord);
    for (let minutes = 0; minutes < 60; minutes++) {
      bed().timers.advance(60_000);
      await bed().settle();
    }
    expect(tried).toBeGreaterThan(3);
    expect(await queue.deadLetters("sales", orders, 10)).toEqual([]);
    expect(bed().faults[0]).toMatchObject({ where: "check-back of $half/sales/orders" });
    isDown = false;
    await bed().eventually(async () => (await ids(queue)).length === 1);
  });

  it("is not held up by those for which it throws", async () => {
    const queue = await open();
    const publisher = await sender(queue, async ({ value }) => {
      if (value.id.startsWith("bad")) throw new Error("cannot be answered");
      return "commit";
    });
    for (let n = 0; n < 30; n++) await publisher.publish([{ id: `bad ${n}` }], noWord);
    await publisher.publish([{ id: "good" }], noWord);
    await bed().eventually(async () => (await ids(queue)).length === 1);
  });

  it("is done by one instance of the group at a time, though the whole of it outlasts the lease", async () => {
    const queues = [await open(), await open()];
    let inside = 0;
    let most = 0;
    const asked: string[] = [];
    const checkBack = async ({ value }: HalfMessage<Order>) => {
      most = Math.max(most, ++inside);
      await new Promise<void>((resolve) => bed().timers.after(500, resolve));
      inside--;
      asked.push(value.id);
      return "commit" as const;
    };
    const [publisher] = await Promise.all(queues.map((queue) => sender(queue, checkBack)));
    const all = Array.from({ length: 40 }, (_, n) => ({ id: `o${n}` }));
    await publisher?.publish(all, noWord);
    await bed().eventually(() => asked.length === all.length);
    expect(most).toBe(1);
    expect(new Set(asked).size).toBe(all.length);
  });

  it("ends with its publisher: a stop waits for an answer no longer than its grace, and leaves no lease and no timer", async () => {
    const [queue, other] = [await open(), await open()];
    let isAsked = false;
    const late = gate<LocalTransactionState>();
    const publisher = await sender(queue, () => {
      isAsked = true;
      return late.promise;
    });
    await publisher.publish([{ id: "o1" }], noWord);
    await bed().eventually(() => isAsked);
    let isStopped = false;
    const stopping = publisher.stop().then(() => {
      isStopped = true;
    });
    await bed().eventually(() => isStopped);
    await stopping;
    await queue.stop();
    const askedMs = other.now();
    let askedAgainMs = 0;
    await sender(other, async () => {
      askedAgainMs = other.now();
      return "rollback";
    });
    await bed().eventually(() => askedAgainMs > 0);
    expect(askedAgainMs - askedMs).toBeLessThan(3_000);
    late.open("commit");
    await bed().settle();
    expect(await ids(other)).toEqual([]);
  });
});

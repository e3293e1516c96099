/**
 * The contracts of `process`, on every engine.
 *
 * Length: one list, a test for each sentence of the contract.
 */
import { expect, it } from "vitest";
import { defineTopic, emit, type ProcessOptions, QueueError } from "../src/index.ts";
import { gate, leftOpen, onEveryEngine, turn, withOverrides } from "./queue-bed.ts";

interface Move {
  readonly account: string;
  readonly amount: number;
}
interface Booked {
  readonly account: string;
  readonly balance: number;
}

const moves = defineTopic<Move>({ name: "moves", partitions: 2, keyOf: (move) => move.account });
const booked = defineTopic<Booked>({ name: "booked", partitions: 1, keyOf: (event) => event.account });
const audits = defineTopic<Booked>({ name: "audits", partitions: 1, keyOf: (event) => event.account });
const topics = [moves, booked, audits];

const balanceKey = (account: string) => `balance:${account}`;

/** Adds up each account's moves and emits every balance. */
const ledger: ProcessOptions<Move> = {
  group: "ledger",
  topic: moves,
  keys: (move) => [balanceKey(move.account)],
  decide: ({ value }, state) => {
    const balance = (state.get<number>(balanceKey(value.account)) ?? 0) + value.amount;
    return {
      writes: [{ key: balanceKey(value.account), value: balance }],
      emit: [emit(booked, { account: value.account, balance })],
    };
  },
};

/** An object that neither JSON nor String can take. */
function endless(): object {
  const object = Object.create(null);
  object.self = object;
  return object;
}

onEveryEngine("process", (bed) => {
  const open = () => bed().queue(topics);
  type Opened = Awaited<ReturnType<typeof open>>;
  const balances = async (queue: Opened) =>
    (await queue.browse(booked, 0, 0, 10_000)).map(({ value }) => value.balance);
  const publishAll = (queue: Opened, amounts: readonly number[], account = "a") =>
    Promise.all(amounts.map((amount) => queue.publish(moves, { account, amount })));

  it("commits offset, state and emissions of every message once, in order, over batches", async () => {
    const queue = await open();
    await queue.process({ ...ledger, maxBatch: 7 });
    await publishAll(queue, Array(100).fill(1));
    await bed().eventually(async () => (await balances(queue)).length === 100);
    expect(await balances(queue)).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
    expect(await queue.state("ledger", moves).get<number>("a", balanceKey("a"))).toBe(100);
    const statistics = await queue.groupStatistics("ledger", moves);
    expect(statistics.map((partition) => partition.lagMessages)).toEqual([0, 0]);
    expect(statistics.reduce((sum, partition) => sum + partition.committed, 0)).toBe(100);
  });

  it("goes on exactly once when members are killed in the middle", async () => {
    const queue = await open();
    const accounts = ["a", "b", "c"];
    let published = 0;
    for (let life = 0; life < 6; life++) {
      const member = await queue.process({ ...ledger, maxBatch: 5 });
      await Promise.all(accounts.map((account) => publishAll(queue, Array(17).fill(1), account)));
      published += accounts.length * 17;
      if (life < 5) member.kill();
    }
    await bed().eventually(async () => (await balances(queue)).length >= published);
    await bed().settle();
    const events = await queue.browse(booked, 0, 0, 10_000);
    for (const account of accounts) {
      const own = events.filter(({ value }) => value.account === account).map(({ value }) => value.balance);
      expect(own).toEqual(Array.from({ length: published / 3 }, (_, n) => n + 1));
    }
  });

  it("lets nothing of a commit with a stale fence stand", async () => {
    const held = gate();
    const queue = await open();
    const stale = await queue.process({
      ...ledger,
      member: "stale",
      pace: async (batch) => held.promise.then(() => batch.length),
    });
    await publishAll(queue, [1]);
    await bed().settle();
    expect(stale.statistics().partitions).toEqual([0, 1]);
    // The process is stopped for longer than its lease; another one takes its partitions over.
    bed().timers.suspend();
    for (const partition of [0, 1]) {
      const ref = { group: "ledger", topic: "moves", partition, member: "heir", ttlMs: 3_600_000 };
      await bed().eventually(async () => (await bed().engine.acquireLease(ref)) !== undefined);
    }
    bed().timers.resume();
    held.open();
    await bed().settle();
    expect(await balances(queue)).toEqual([]);
    await bed().eventually(() => stale.statistics().partitions.length === 0);
  });

  it("refuses a read of state that keys() did not declare, and makes earlier writes of the batch visible", async () => {
    const queue = await open();
    const errors: unknown[] = [];
    await queue.process({
      ...ledger,
      decide: (message, state, context) => {
        try {
          state.get("undeclared");
        } catch (error) {
          errors.push(error);
        }
        return ledger.decide(message, state, context);
      },
    });
    await publishAll(queue, [1, 2, 3]);
    await bed().eventually(async () => (await balances(queue)).length === 3);
    expect(await balances(queue)).toEqual([1, 3, 6]);
    expect(errors[0]).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("deletes entries, and lets them expire", async () => {
    const queue = await open();
    await queue.process<Move>({
      group: "keeper",
      topic: moves,
      keys: () => ["short", "kept"],
      decide: ({ value }) => ({
        writes:
          value.amount > 0
            ? [
                { key: "short", value: 1, expiresAfterMs: 600_000 },
                { key: "kept", value: { deep: [1] } },
              ]
            : [{ key: "kept", value: null }],
      }),
    });
    const view = queue.state("keeper", moves);
    await publishAll(queue, [1]);
    await bed().eventually(async () => (await view.get("a", "kept")) !== undefined);
    expect(await view.getMany("a", ["kept", "short", "absent"])).toEqual([{ deep: [1] }, 1, undefined]);
    bed().timers.advance(600_001);
    expect(await view.getMany("a", ["kept", "short"])).toEqual([{ deep: [1] }, undefined]);
    await publishAll(queue, [-1]);
    await bed().eventually(async () => (await view.get("a", "kept")) === undefined);
  });

  it("hands facts gathered for the whole batch to decide, and decides without when they are late or fail", async () => {
    const queue = await open();
    const seen: unknown[] = [];
    const aborted: boolean[] = [];
    const never = gate<string>();
    const answers = [async () => "score", () => never.promise, () => Promise.reject(new Error("down"))];
    let call = 0;
    await queue.process<Move, string>({
      group: "risk",
      topic: moves,
      keys: () => [],
      prepare: {
        budgetMs: 150,
        gather: (_, signal) => {
          signal.addEventListener("abort", () => aborted.push(true));
          return (answers[call++] as () => Promise<string>)();
        },
      },
      decide: (_, __, { facts }) => {
        seen.push(facts);
        return {};
      },
    });
    for (let n = 1; n <= 3; n++) {
      await publishAll(queue, [1]);
      await bed().eventually(() => seen.length === n);
    }
    expect(seen).toEqual(["score", undefined, undefined]);
    expect(aborted).toEqual([true]);
  });

  it("takes as many of a batch as pace allows, and decides the others later", async () => {
    const queue = await open();
    await publishAll(queue, [1, 1, 1, 1, 1]);
    const sizes: number[] = [];
    await queue.process({
      ...ledger,
      pace: async (batch) => {
        sizes.push(batch.length);
        return 2;
      },
    });
    await bed().eventually(async () => (await balances(queue)).length === 5);
    expect(sizes).toEqual([5, 3, 1]);
  });

  it("dead-letters the one message for which decide throws, with what poison leaves, and decides all others", async () => {
    const queue = await open();
    await publishAll(queue, [1, 2, 666, 3]);
    await queue.process({
      ...ledger,
      decide: (message, state, context) => {
        if (message.value.amount === 666) throw new Error("the number of the beast");
        return ledger.decide(message, state, context);
      },
      poison: ({ value }, error) => ({
        writes: [{ key: "poisoned", value: String(error) }],
        emit: [emit(audits, { account: value.account, balance: -1 })],
      }),
    });
    await bed().eventually(async () => (await balances(queue)).length === 3);
    expect(await balances(queue)).toEqual([1, 3, 6]);
    expect(await queue.browse(audits, 0, 0, 10)).toHaveLength(1);
    expect(await queue.state("ledger", moves).get("a", "poisoned")).toContain("beast");
    const letters = await queue.deadLetters("ledger", moves, 10);
    expect(letters.map((letter) => [letter.message.value?.amount, letter.reason])).toEqual([
      [666, "the number of the beast"],
    ]);
  });

  it.each([
    ["a state value without JSON", { writes: [{ key: "bad", value: 1n }] }],
    ["an undefined state value", { writes: [{ key: "bad", value: undefined }] }],
    ["a state entry that the engine refuses as too large", { writes: [{ key: "bad", value: "x".repeat(1_100_000) }] }],
    [
      "an emission to a topic that nobody declared",
      { emit: [{ topic: { ...booked, name: "nowhere" } as never, value: {} }] },
    ],
  ])("dead-letters a message whose decision has %s, and decides all others", async (_, bad) => {
    const queue = await open();
    await publishAll(queue, [1, 666, 2]);
    await queue.process({
      ...ledger,
      decide: (message, state, context) =>
        message.value.amount === 666 ? bad : ledger.decide(message, state, context),
    });
    await bed().eventually(async () => (await balances(queue)).length === 2);
    expect(await balances(queue)).toEqual([1, 3]);
    expect(await queue.deadLetters("ledger", moves, 10)).toHaveLength(1);
  });

  it.each([
    ["has no JSON", { writes: [{ key: "bad", value: 1n }] }],
    ["is refused as too large", { writes: [{ key: "bad", value: "x".repeat(1_100_000) }] }],
    ["is emitted to a topic that nobody declared", { emit: [{ topic: { ...booked, name: "x" } as never, value: {} }] }],
  ])("dead-letters a message without what poison leaves where that %s, and decides all others", async (_, left) => {
    const queue = await open();
    await publishAll(queue, [1, 666, 2]);
    await queue.process({
      ...ledger,
      decide: (message, state, context) => {
        if (message.value.amount === 666) throw new Error("the number of the beast");
        return ledger.decide(message, state, context);
      },
      poison: ({ value }) => ({ emit: [emit(booked, { account: value.account, balance: -1 })], ...left }),
    });
    await bed().eventually(async () => (await balances(queue)).length === 2);
    expect(await balances(queue)).toEqual([1, 3]);
    const [letter, ...more] = await queue.deadLetters("ledger", moves, 10);
    expect([letter?.reason, letter?.history.length, more]).toEqual(["the number of the beast", 2, []]);
  });

  it.each([
    ["no key", () => [undefined as unknown as string]],
    ["a key that is too long", () => ["x".repeat(5_000)]],
    ["no list", () => undefined as unknown as string[]],
  ])("dead-letters a message of which keys() makes %s, and decides all others", async (_, keys) => {
    const queue = await open();
    await publishAll(queue, [1, 666, 2]);
    await queue.process({ ...ledger, keys: (move) => (move.amount === 666 ? keys() : ledger.keys(move)) });
    await bed().eventually(async () => (await balances(queue)).length === 2);
    expect(await balances(queue)).toEqual([1, 3]);
    expect((await queue.deadLetters("ledger", moves, 10)).map(({ message }) => message.value?.amount)).toEqual([666]);
  });

  it("dead-letters a message whose error has no text, and decides all others", async () => {
    const queue = await open();
    await publishAll(queue, [1, 666, 2]);
    const thrown = [Object.assign(new Error(), { message: { code: 7 } }), endless()];
    await queue.process({
      ...ledger,
      decide: (message, state, context) => {
        if (message.value.amount === 666) throw thrown[0];
        return ledger.decide(message, state, context);
      },
      poison: () => {
        throw thrown[1];
      },
    });
    await bed().eventually(async () => (await balances(queue)).length === 2);
    const [letter] = await queue.deadLetters("ledger", moves, 10);
    expect(letter?.reason).toBe('{"code":7}');
    expect(letter?.history[1]?.error).toContain("no text");
  });

  it("lets nothing of a decision stand that emits well and then to a topic that nobody declared", async () => {
    const queue = await open();
    const nowhere = { topic: { ...booked, name: "nowhere" } as never, value: {} };
    await publishAll(queue, [1, 666, 2]);
    const requester = await queue.requester();
    await queue.process({
      ...ledger,
      decide: (message, state, context) => {
        const decision = ledger.decide(message, state, context);
        return message.value.amount === 666 ? { ...decision, emit: [...(decision.emit ?? []), nowhere] } : decision;
      },
    });
    await bed().eventually(async () => (await balances(queue)).length >= 2);
    const { reply } = requester.send<Move, string>(moves, { account: "a", amount: 666 }, { timeoutMs: 5_000 });
    await bed().eventually(async () => (await queue.deadLetters("ledger", moves, 10)).length === 2);
    expect(await balances(queue)).toEqual([1, 3]);
    bed().timers.advance(5_000);
    await expect(reply).rejects.toMatchObject({ code: "REPLY_TIMEOUT" });
  });

  it("lets nothing stand of what a decision that throws did to the entries it was shown", async () => {
    const queue = await open();
    const change = ({ value }: { readonly value: Move }, state: { get<V>(key: string): V | undefined }) => {
      const account = state.get<{ balance: number }>("account") ?? { balance: 0 };
      account.balance += value.amount;
      return account;
    };
    await queue.process<Move>({
      group: "ledger",
      topic: moves,
      keys: () => ["account"],
      decide: (message, state) => {
        const account = change(message, state);
        if (message.value.amount >= 600) throw new Error("after the change");
        return { writes: [{ key: "account", value: account }], emit: [emit(booked, { account: "a", ...account })] };
      },
      poison: (message, _, state) => {
        const seen = state.get<{ balance: number }>("account");
        change(message, state);
        if (message.value.amount === 600) throw new Error("again");
        return { writes: [{ key: "seen", value: seen?.balance ?? null }] };
      },
    });
    await publishAll(queue, [1, 666, 2, 600, 4]);
    await bed().eventually(async () => (await balances(queue)).length === 3);
    expect(await balances(queue)).toEqual([1, 3, 7]);
    expect(await queue.state("ledger", moves).get("a", "account")).toEqual({ balance: 7 });
  });

  it("dead-letters bytes that cannot be decoded and goes on behind them", async () => {
    const queue = await open();
    const bytes = { topic: "moves", partition: 0, key: "a", value: Buffer.from("no json") };
    await bed().engine.commit({ append: [bytes, bytes] });
    const member = await queue.process(ledger);
    await bed().eventually(async () => (await queue.groupStatistics("ledger", moves))[0]?.committed === 2);
    const letters = await queue.deadLetters("ledger", moves, 10);
    expect(letters.map((letter) => [letter.message.value, letter.bytes.toString()])).toEqual([
      [undefined, "no json"],
      [undefined, "no json"],
    ]);
    await bed().eventually(async () => member.statistics().deadLettered === 2);
  });

  it("emits a delayed message when it is due", async () => {
    const queue = await open();
    await queue.process<Move>({
      group: "timer",
      topic: moves,
      keys: () => [],
      decide: ({ value }) => ({ emit: [emit(booked, { account: value.account, balance: 7 }, { delayMs: 60_000 })] }),
    });
    await publishAll(queue, [1]);
    await bed().eventually(async () =>
      (await queue.groupStatistics("timer", moves)).some(({ committed }) => committed > 0),
    );
    expect(await balances(queue)).toEqual([]);
    bed().timers.advance(60_001);
    await bed().eventually(async () => (await balances(queue)).length === 1);
  });

  it("decides a batch again when storage is exhausted, without any of it standing twice", async () => {
    let failures = 3;
    const engine = withOverrides(leftOpen(bed().engine), {
      commit: (commit) => {
        if (commit.fence === undefined || failures-- <= 0) return bed().engine.commit(commit);
        return Promise.reject(new QueueError("STORAGE_FULL"));
      },
    });
    const queue = await bed().queue(topics, { engine });
    await queue.process(ledger);
    await publishAll(queue, [1, 2]);
    await bed().eventually(async () => (await balances(queue)).length === 2);
    expect(await balances(queue)).toEqual([1, 3]);
    expect(bed().faults).toHaveLength(3);
  });

  it("asks for the committed offset when it does not know whether a commit was stored", async () => {
    let unknown = 1;
    const engine = withOverrides(leftOpen(bed().engine), {
      commit: async (commit) => {
        const receipt = await bed().engine.commit(commit);
        if (commit.fence !== undefined && unknown-- > 0)
          throw new QueueError("STORAGE_FULL", "it is", { outcome: "unknown" });
        return receipt;
      },
    });
    const queue = await bed().queue(topics, { engine });
    await queue.process(ledger);
    await publishAll(queue, [1, 2, 3]);
    await bed().eventually(async () => (await balances(queue)).length >= 3);
    // Whoever did not ask again decides from an old offset with the next message at the latest.
    await publishAll(queue, [4]);
    await bed().eventually(async () => (await balances(queue)).length >= 4);
    await bed().settle();
    expect(await balances(queue)).toEqual([1, 3, 6, 10]);
  });

  it("ends without a word when the engine can store nothing any more", async () => {
    const queue = await open();
    await queue.process(ledger);
    await bed().engine.close();
    await turn();
    bed().timers.advance(10_000);
    await turn();
    expect(bed().faults).toEqual([]);
    await expect(queue.publish(moves, { account: "a", amount: 1 })).rejects.toMatchObject({ code: "CLOSED" });
  });
});

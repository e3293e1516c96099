import { expect, it } from "vitest";
import { defineTopic, type ReplyAddress } from "../src/index.ts";
import { onEveryEngine } from "./queue-bed.ts";

interface Question {
  readonly key: string;
  readonly n: number;
}

const questions = defineTopic<Question>({
  name: "questions",
  partitions: 4,
  keyOf: (question) => question.key,
  backlog: { maxMessages: 1_000 },
});

onEveryEngine("request/reply", (bed) => {
  const open = () => bed().queue([questions]);
  type Opened = Awaited<ReturnType<typeof open>>;
  const answering = (queue: Opened) =>
    queue.process<Question>({
      group: "answerers",
      topic: questions,
      keys: () => [],
      decide: ({ value }) => ({ reply: { double: value.n * 2 } }),
    });
  const addressOf = async (queue: Opened): Promise<ReplyAddress> => {
    for (let partition = 0; partition < questions.partitions; partition++) {
      const [message] = await queue.browse(questions, partition, 0, 1);
      if (message?.headers.replyTo !== undefined) return message.headers.replyTo;
    }
    throw new Error("no question with a reply address");
  };
  const reply = ({ topic, partition, correlationId }: ReplyAddress, value: unknown) =>
    bed().engine.commit({
      append: [{ topic, partition, key: correlationId, value: Buffer.from(JSON.stringify(value)) }],
    });

  it("matches each of many replies with its request, over several requesters", async () => {
    const [one, two] = [await open(), await open()];
    await answering(one);
    const requesters = await Promise.all([one.requester(), one.requester(), two.requester()]);
    expect(new Set(requesters.map(({ address }) => address.partition)).size).toBe(3);
    const answers = await Promise.all(
      Array.from({ length: 300 }, async (_, n) => {
        const requester = requesters[n % 3] as (typeof requesters)[0];
        const sent = requester.send<Question, { double: number }>(
          questions,
          { key: `k${n}`, n },
          { timeoutMs: 50_000 },
        );
        expect((await sent.published).duplicate).toBe(false);
        return (await sent.reply).double;
      }),
    );
    expect(answers).toEqual(Array.from({ length: 300 }, (_, n) => n * 2));
    for (const requester of requesters) expect(requester.statistics()).toEqual({ waiting: 0, late: 0, foreign: 0 });
  });

  it("rejects with REPLY_TIMEOUT, and counts the reply that comes later", async () => {
    const queue = await open();
    const requester = await queue.requester();
    const { reply: answer } = requester.send(questions, { key: "a", n: 1 }, { timeoutMs: 2_000 });
    let failure: unknown;
    answer.catch((error: unknown) => {
      failure = error;
    });
    await bed().settle();
    bed().timers.advance(1_999);
    await bed().settle();
    expect(failure).toBeUndefined();
    await bed().eventually(() => failure !== undefined);
    expect(failure).toMatchObject({ code: "REPLY_TIMEOUT", outcome: "unknown" });
    await answering(queue);
    await bed().eventually(() => requester.statistics().late === 1);
    expect(requester.statistics()).toEqual({ waiting: 0, late: 1, foreign: 0 });
  });

  it("drops and counts duplicate and foreign replies", async () => {
    const queue = await open();
    const requester = await queue.requester();
    const { reply: answer, published } = requester.send<Question, string>(
      questions,
      { key: "a", n: 1 },
      { timeoutMs: 50_000 },
    );
    await published;
    const address = await addressOf(queue);
    await reply({ ...address, correlationId: "somebody-else.1" }, "foreign");
    await reply(address, "first");
    await reply(address, "second");
    expect(await answer).toBe("first");
    await bed().eventually(() => requester.statistics().late === 1);
    expect(requester.statistics()).toEqual({ waiting: 0, late: 1, foreign: 1 });
  });

  it("rejects the reply with the publish error, and leaves nothing waiting", async () => {
    const queue = await open();
    const requester = await queue.requester();
    const other = defineTopic<Question>({ name: "undeclared", partitions: 1, keyOf: (question) => question.key });
    const { published, reply: answer } = requester.send(other, { key: "a", n: 1 }, { timeoutMs: 1_000 });
    await expect(answer).rejects.toMatchObject({ code: "UNKNOWN_TOPIC" });
    await expect(published).rejects.toMatchObject({ code: "UNKNOWN_TOPIC" });
    expect(requester.statistics().waiting).toBe(0);
  });

  it("leaves no rejection unheard when the caller looks at one promise only", async () => {
    const unheard: unknown[] = [];
    const listener = (error: unknown) => unheard.push(error);
    process.on("unhandledRejection", listener);
    const queue = await open();
    const requester = await queue.requester();
    requester.send(questions, { key: "a", n: 1 }, { timeoutMs: 5 });
    await bed().eventually(() => requester.statistics().waiting === 0);
    requester.send(
      defineTopic<Question>({ name: "nowhere", partitions: 1, keyOf: (q) => q.key }),
      { key: "a", n: 1 },
      { timeoutMs: 5 },
    );
    await bed().settle();
    process.off("unhandledRejection", listener);
    expect(unheard).toEqual([]);
  });

  it("rejects all that wait with CLOSED, outcome unknown, when it stops", async () => {
    const queue = await open();
    const requester = await queue.requester();
    const { reply: answer } = requester.send(questions, { key: "a", n: 1 }, { timeoutMs: 50_000 });
    const settled = expect(answer).rejects.toMatchObject({ code: "CLOSED", outcome: "unknown" });
    await requester.stop();
    await settled;
    await expect(requester.send(questions, { key: "a", n: 1 }, { timeoutMs: 1 }).reply).rejects.toMatchObject({
      code: "CLOSED",
    });
  });

  it("leases another partition when its own was taken over", async () => {
    const queue = await open();
    const requester = await queue.requester();
    const { topic, partition } = requester.address;
    await answering(queue);
    // The process is stopped for longer than its lease; another requester takes the partition over.
    bed().timers.suspend();
    const ref = { group: "$replies", topic, partition, member: "heir", ttlMs: 3_600_000 };
    await bed().eventually(async () => (await bed().engine.acquireLease(ref)) !== undefined);
    bed().timers.resume();
    await bed().eventually(() => requester.address.partition !== partition);
    const sent = requester.send<Question, { double: number }>(questions, { key: "a", n: 21 }, { timeoutMs: 50_000 });
    expect((await sent.reply).double).toBe(42);
  });

  it.each([
    ["a topic that does not exist", { topic: "nowhere", partition: 0, correlationId: "c" }],
    ["a partition that does not exist", { topic: "replies", partition: 9_999, correlationId: "c" }],
  ])("does not let a reply address with %s stop the stage", async (_, replyTo) => {
    const queue = await open();
    await answering(queue);
    await queue.publish(questions, { key: "a", n: 1 }, { replyTo });
    const requester = await queue.requester();
    const sent = requester.send<Question, { double: number }>(questions, { key: "a", n: 2 }, { timeoutMs: 50_000 });
    expect((await sent.reply).double).toBe(4);
    expect(await queue.deadLetters("answerers", questions, 10)).toEqual([]);
  });
});

import { expect, it } from "vitest";
import {
  dead,
  defineTopic,
  done,
  emit,
  type Interceptor,
  type OutgoingMessage,
  type PublishOutcome,
  QueueError,
  retry,
} from "../src/index.ts";
import { leftOpen, onEveryEngine, withOverrides } from "./queue-bed.ts";

interface Note {
  readonly to: string;
  readonly text: string;
}

const notes = defineTopic<Note>({ name: "notes", partitions: 1, keyOf: (note) => note.to });
const echoes = defineTopic<Note>({ name: "echoes", partitions: 1, keyOf: (note) => note.to });
const note = (text: string): Note => ({ to: "ann", text });

/** Records what it sees; marks each message with a running trace id. */
function tracing() {
  const sent: { readonly message: OutgoingMessage; outcome: PublishOutcome | undefined }[] = [];
  const received: string[] = [];
  const interceptor: Interceptor = {
    name: "tracing",
    onPublish(message) {
      const entry = { message, outcome: undefined as PublishOutcome | undefined };
      sent.push(entry);
      return {
        ext: { trace: message.cause?.headers.ext?.trace ?? `t${sent.length}` },
        onOutcome: (outcome) => {
          if (entry.outcome !== undefined) throw new Error("told twice");
          entry.outcome = outcome;
        },
      };
    },
    onTakeOver: (place, fromOffset) => received.push(`${place.group} from ${fromOffset}`),
    onReceive: ({ offset, headers }, group) => received.push(`${group} ${offset} ${headers.ext?.trace}`),
  };
  return { interceptor, sent, received, outcomes: () => sent.map(({ outcome }) => outcome) };
}

onEveryEngine("interceptors", (bed) => {
  const open = (...interceptors: readonly Interceptor[]) => bed().queue([notes, echoes], { interceptors });
  const traces = async (queue: Awaited<ReturnType<typeof open>>, topic = notes) =>
    (await queue.browse(topic, 0, 0, 100)).map((message) => message.headers.ext?.trace);

  it("add headers to what is published, beside the application's own, and hear where it was stored", async () => {
    const { interceptor, sent, outcomes } = tracing();
    const second: Interceptor = {
      name: "second",
      onPublish: ({ headers }) => ({ ext: { saw: String(headers.ext?.trace) } }),
    };
    const queue = await open(interceptor, second);
    await queue.publish(notes, note("one"), { deadlineMs: 9e15, ext: { own: "kept" } });
    await queue.publish(notes, note("two"));
    const stored = await queue.browse(notes, 0, 0, 10);
    expect(stored.map(({ headers }) => headers)).toEqual([
      { deadlineMs: 9e15, ext: { own: "kept", trace: "t1", saw: "t1" } },
      { ext: { trace: "t2", saw: "t2" } },
    ]);
    expect(
      sent.map(({ message }) => [message.path, message.topic, message.key, JSON.parse(String(message.value))]),
    ).toEqual([
      ["publish", "notes", "ann", note("one")],
      ["publish", "notes", "ann", note("two")],
    ]);
    expect(outcomes()).toEqual([0, 1].map((offset) => ({ kind: "stored", partition: 0, offset })));
  });

  it("hear of a duplicate, a refusal and an unknown outcome, and never see what was refused before", async () => {
    const failures = [
      new QueueError("STORAGE_FULL"),
      new QueueError("STORAGE_FULL", "perhaps", { outcome: "unknown" }),
      new Error("a connection broke"),
    ];
    const engine = withOverrides(leftOpen(bed().engine), {
      commit: (commit) => {
        const failure = commit.append === undefined ? undefined : failures.shift();
        return failure === undefined ? bed().engine.commit(commit) : Promise.reject(failure);
      },
    });
    const { interceptor, outcomes } = tracing();
    const queue = await bed().queue([notes], { engine, interceptors: [interceptor] });
    for (let n = 0; n < 3; n++) await queue.publish(notes, note("x")).catch(() => undefined);
    await queue.publish(notes, note("x"), { id: "i" });
    await queue.publish(notes, note("x"), { id: "i" });
    await expect(queue.publish(notes, note("x".repeat(600_000)))).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE" });
    await expect(queue.publish(echoes, note("x"))).rejects.toMatchObject({ code: "UNKNOWN_TOPIC" });
    expect(outcomes().map((outcome) => outcome?.kind)).toEqual([
      "refused",
      "unknown",
      "unknown",
      "stored",
      "duplicate",
    ]);
  });

  it("see what a stage emits together with its cause, and not its replies", async () => {
    const { interceptor, sent, outcomes } = tracing();
    const queue = await open(interceptor);
    await queue.process<Note>({
      group: "echo",
      topic: notes,
      keys: () => [],
      decide: ({ value }) => {
        if (value.text === "bad") return { emit: [emit(echoes, value)], writes: [{ key: "k", value: undefined }] };
        return { emit: [emit(echoes, value), emit(echoes, value, { delayMs: 1_000 })], reply: "echoed" };
      },
    });
    const requester = await queue.requester();
    expect(await requester.send(notes, note("hello"), { timeoutMs: 10_000 }).reply).toBe("echoed");
    await bed().eventually(async () => (await traces(queue, echoes)).length === 2);
    expect(await traces(queue, echoes)).toEqual(["t1", "t1"]);
    expect(sent.map(({ message }) => [message.path, message.topic, message.cause?.offset])).toEqual([
      ["publish", "notes", undefined],
      ["emission", "echoes", 0],
      ["delayed", "echoes", 0],
    ]);
    expect(outcomes()).toEqual([0, 0, undefined].map((offset) => ({ kind: "stored", partition: 0, offset })));
  });

  it("hear that an emission was refused when its decision failed or its owner was stale", async () => {
    const { interceptor, sent, outcomes } = tracing();
    const queue = await open(interceptor);
    const decide = ({ value }: { readonly value: Note }) => {
      const nowhere = { ...echoes, name: "nowhere" } as never;
      const bad = value.text === "bad" ? [{ topic: nowhere, value }] : [];
      return { emit: [emit(echoes, value), ...bad] };
    };
    const member = await queue.process<Note>({ group: "echo", topic: notes, member: "stale", keys: () => [], decide });
    await queue.publish(notes, note("bad"));
    await bed().eventually(async () => (await queue.deadLetters("echo", notes, 1)).length === 1);
    expect(sent.map(({ message }) => message.topic)).toEqual(["notes", "echoes"]);
    expect(outcomes()[1]).toMatchObject({ kind: "refused", error: { code: "UNKNOWN_TOPIC" } });
    bed().timers.suspend();
    const ref = { group: "echo", topic: "notes", partition: 0, member: "heir", ttlMs: 3_600_000 };
    await bed().eventually(async () => (await bed().engine.acquireLease(ref)) !== undefined);
    bed().timers.resume();
    await queue.publish(notes, note("good"));
    await bed().eventually(() => member.statistics().partitions.length === 0);
    expect(outcomes()[3]).toMatchObject({ kind: "refused", error: { code: "FENCED" } });
    expect(await traces(queue, echoes)).toEqual([]);
  });

  it("mark delayed and half messages, which keep the mark until they are delivered", async () => {
    const { interceptor, sent, outcomes } = tracing();
    const queue = await open(interceptor);
    const answers = ["commit", "rollback", "unknown"] as const;
    const halves = await queue.transactional<Note>({ group: "g", topic: notes, checkBack: async () => "commit" });
    for (const answer of answers) await halves.publish([note(answer)], async () => answer);
    await queue.publish(notes, note("later"), { delayMs: 60_000 });
    await bed().eventually(async () => (await traces(queue)).length === 3);
    expect(await traces(queue)).toEqual(["t1", "t3", "t4"]);
    expect(sent.map(({ message }) => message.path)).toEqual(["half", "half", "half", "delayed"]);
    expect(outcomes()).toMatchObject([
      { kind: "stored", offset: 0 },
      { kind: "refused", error: { code: "HALF_ROLLED_BACK" } },
      { kind: "unknown" },
      { kind: "stored", offset: undefined },
    ]);
  });

  it("see each message once per group before its handler, in offset order, also when it is retried", async () => {
    const { interceptor, received } = tracing();
    const queue = await open(interceptor);
    for (const text of ["a", "b"]) await queue.publish(notes, note(text));
    const order = received;
    await queue.consume<Note>({
      group: "consumers",
      topic: notes,
      handle: async ([message]) => {
        order.push(`handled ${message?.value.text}#${message?.attempt}`);
        return message?.attempt === 1 ? retry() : done;
      },
    });
    await bed().eventually(() => order.includes("handled b#2"));
    expect(order).toEqual([
      "consumers from 0",
      "consumers 0 t1",
      "consumers 1 t2",
      "handled a#1",
      "handled a#2",
      "handled b#1",
      "handled b#2",
    ]);
    order.length = 0;
    await queue.process<Note>({ group: "deciders", topic: notes, keys: () => [], decide: () => ({}) });
    await bed().eventually(() => order.length === 3);
    expect(order).toEqual(["deciders from 0", "deciders 0 t1", "deciders 1 t2"]);
  });

  it("that throw, or add what is no header, are reported and change nothing", async () => {
    const fail = (): never => {
      throw new Error("a fault in an interceptor");
    };
    const faulty: Interceptor = { name: "faulty", onPublish: fail, onReceive: fail, onTakeOver: fail };
    const wrong: Interceptor = {
      name: "wrong",
      onPublish: () => ({ ext: { n: 1 as unknown as string }, onOutcome: fail }),
    };
    const { interceptor } = tracing();
    const queue = await open(faulty, wrong, interceptor);
    await queue.publish(notes, note("one"));
    await queue.consume<Note>({ group: "g", topic: notes, handle: async () => dead("seen") });
    await bed().eventually(async () => (await queue.deadLetters("g", notes, 1)).length === 1);
    expect(await traces(queue)).toEqual(["t1"]);
    expect(bed().faults.map(({ where }) => where)).toEqual([
      "interceptor faulty, onPublish",
      "interceptor wrong, onPublish",
      "interceptor wrong, onOutcome",
      "interceptor faulty, onTakeOver",
      "interceptor faulty, onReceive",
      expect.stringContaining("dead letter"),
    ]);
  });
});

/** What an application hands in can throw anything, at once or later, or give back anything: no loop ends of it. */
import { expect, it } from "vitest";
import { type Codec, type ConsumeOptions, defineTopic, done, type Interceptor, jsonCodec } from "../src/index.ts";
import { onEveryEngine } from "./queue-bed.ts";

/** An error whose text is none, and an object that neither JSON nor String can take. */
const withoutText = Object.assign(new Error(), { message: { code: 7 } });
const endless = Object.create(null);
endless.self = endless;

const json = jsonCodec<string>();
const picky: Codec<string> = {
  encode: json.encode,
  decode: (bytes) => {
    const value = json.decode(bytes);
    if (value === "undecodable") throw withoutText;
    if (value === "undecodable too") throw endless;
    return value;
  },
};
const jobs = defineTopic<string>({ name: "jobs", partitions: 1, keyOf: (job) => job, codec: picky });

onEveryEngine("with callbacks that are at fault", (bed) => {
  type Options = Parameters<ReturnType<typeof bed>["queue"]>[1];
  const consuming = async (names: readonly string[], handle: ConsumeOptions<string>["handle"], options?: Options) => {
    const queue = await bed().queue([jobs], options);
    await Promise.all(names.map((name) => queue.publish(jobs, name)));
    const member = await queue.consume<string>({ group: "g", topic: jobs, maxAttempts: 2, handle });
    const isThrough = async () => (await queue.groupStatistics("g", jobs))[0]?.committed === names.length;
    return { queue, member, isThrough };
  };

  it.each<[string, () => unknown]>([
    [
      "throws an error without text",
      () => {
        throw withoutText;
      },
    ],
    [
      "throws what has no text at all",
      () => {
        throw endless;
      },
    ],
    [
      "throws undefined",
      () => {
        throw undefined;
      },
    ],
    ["gives nothing", () => undefined],
    ["gives a text", () => "done"],
    ["gives a list with a hole", () => new Array(1)],
    ["gives a list with null", () => [null]],
    ["gives an outcome that there is not", () => [{ kind: "perhaps" }]],
    ["gives a wait that is no number", () => ({ kind: "retry", afterMs: Number.NaN })],
    ["gives a reason that is no text", () => ({ kind: "dead", reason: endless })],
  ])("a handler that %s has failed: its message goes to the dead letters, others go on", async (_, fault) => {
    const { queue, member, isThrough } = await consuming(["a", "bad", "b"], (async (
      batch: readonly { value: string }[],
    ) => (batch[0]?.value === "bad" ? fault() : done)) as ConsumeOptions<string>["handle"]);
    await bed().eventually(isThrough);
    expect((await queue.deadLetters("g", jobs, 10)).map(({ message }) => message.value)).toEqual(["bad"]);
    expect(member.statistics()).toMatchObject({ handled: 2, deadLettered: 1 });
  });

  it("a codec that throws errors without text in the middle of what is read holds up nothing behind it", async () => {
    const seen: string[] = [];
    const names = ["a", "undecodable", "b", "undecodable too", "c"];
    const { queue, isThrough } = await consuming(names, async ([message]) => {
      seen.push(message?.value ?? "");
      return done;
    });
    await bed().eventually(isThrough);
    expect(seen).toEqual(["a", "b", "c"]);
    expect((await queue.deadLetters("g", jobs, 10)).map(({ reason }) => reason)).toEqual([
      expect.stringContaining("cannot be decoded"),
      expect.stringContaining("cannot be decoded"),
    ]);
  });

  it.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("the logger is broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("the logger is broken"))],
  ])("a reporter that %s ends no loop, and is told of by a process warning", async (_, broken) => {
    const warnings: string[] = [];
    const hear = (warning: Error) => warnings.push(warning.message);
    process.on("warning", hear);
    try {
      const seen: string[] = [];
      const onBackgroundError = () => broken() as undefined;
      const handle: ConsumeOptions<string>["handle"] = async ([message]) => {
        seen.push(message?.value ?? "");
        return done;
      };
      const { isThrough } = await consuming(["a", "undecodable", "b"], handle, { onBackgroundError });
      await bed().eventually(isThrough);
      expect(seen).toEqual(["a", "b"]);
      await bed().eventually(() => warnings.length > 0);
      expect(warnings[0]).toContain("dead letter of group g from jobs/0 at offset 1");
      expect(warnings[0]).toContain("the logger is broken");
    } finally {
      process.off("warning", hear);
    }
  });

  it("an interceptor that rejects later is reported, and the message goes on", async () => {
    const reject = () => Promise.reject(new Error("tracing is down"));
    const late: Interceptor = {
      name: "late",
      onPublish: reject as unknown as () => undefined,
      onTakeOver: reject,
      onReceive: reject,
    };
    const { isThrough } = await consuming(["a"], async () => done, { interceptors: [late] });
    await bed().eventually(isThrough);
    const of = (hook: string) => bed().faults.filter(({ where }) => where === `interceptor late, ${hook}`);
    // Told at once that nobody waits for it, and then of what it rejected with.
    await bed().eventually(() => of("onPublish").length === 2);
    expect([of("onTakeOver").length, of("onReceive").length]).toEqual([1, 1]);
  });

  it("an interceptor that adds more than an engine takes refuses no message: its addition is dropped", async () => {
    const additions = (size: number) => ({
      name: `adds ${size}`,
      onPublish: () => ({ ext: { [size]: "x".repeat(size) } }),
    });
    const interceptors = [additions(40_000), additions(30_000), additions(7)];
    const { queue, isThrough } = await consuming(["a"], async () => done, { interceptors });
    await bed().eventually(isThrough);
    expect(bed().faults.map(({ where }) => where)).toEqual(["interceptor adds 30000, onPublish"]);
    expect(Object.keys((await queue.browse(jobs, 0, 0, 1))[0]?.headers.ext ?? {})).toEqual(["7", "40000"]);
  });
});

import { expect, it } from "vitest";
import {
  type AppendRequest,
  type Commit,
  dead,
  defineTopic,
  done,
  type Engine,
  emit,
  gapDetector,
  QueueError,
  type SequenceAnomaly,
  sequenceNumbers,
} from "../src/index.ts";
import { leftOpen, onEveryEngine, withOverrides } from "./queue-bed.ts";

interface Note {
  readonly to: string;
  readonly n: number;
}

const notes = defineTopic<Note>({ name: "notes", partitions: 1, keyOf: (note) => note.to });
const echoes = defineTopic<Note>({ name: "echoes", partitions: 1, keyOf: (note) => note.to });
const isPublish = (commit: Commit): commit is Commit & { readonly append: readonly AppendRequest[] } =>
  commit.fence === undefined && commit.append !== undefined;

/** `what` happens to the publish of that number; everything else goes to the engine as it is. */
function faultyEngine(engine: Engine, what: Readonly<Record<number, "lost" | "refused" | "twice">>): Engine {
  return withOverrides(leftOpen(engine), {
    commit: async (commit) => {
      if (!isPublish(commit)) return engine.commit(commit);
      const { n } = JSON.parse(String(commit.append[0]?.value)) as Note;
      if (what[n] === "refused") throw new QueueError("STORAGE_FULL");
      if (what[n] === "twice") await engine.commit(commit);
      return engine.commit(what[n] === "lost" ? {} : commit);
    },
  });
}

onEveryEngine("sequence numbers and gap detection", (bed) => {
  const watching = async (group = "watchers") => {
    const anomalies: SequenceAnomaly[] = [];
    const seen: number[] = [];
    const detector = gapDetector({ onAnomaly: (anomaly) => anomalies.push(anomaly) });
    const queue = await bed().queue([notes, echoes], { interceptors: [detector] });
    const join = () =>
      queue.consume<Note>({
        group,
        topic: notes,
        handle: async ([message]) => {
          seen.push((message as { value: Note }).value.n);
          return done;
        },
      });
    return { queue, anomalies, seen, detector, join, member: await join() };
  };
  const producing = (engine = leftOpen(bed().engine), producer = "p1") =>
    bed().queue([notes, echoes], { engine, interceptors: [sequenceNumbers({ producer })] });
  const place = { group: "watchers", topic: "notes", partition: 0, producer: "p1" };
  const publish = async (queue: Awaited<ReturnType<typeof producing>>, from: number, to: number) => {
    const sends = Array.from({ length: to - from + 1 }, (_, index) =>
      queue.publish(notes, { to: `k${index % 3}`, n: from + index }),
    );
    await Promise.allSettled(sends);
  };

  it("find nothing wrong with many sends at once, over several producers and partitions' groups", async () => {
    const first = await watching();
    const second = await watching("others");
    const [one, two] = [await producing(), await producing(leftOpen(bed().engine), "p2")];
    await Promise.all([publish(one, 1, 200), publish(two, 201, 400)]);
    await bed().eventually(() => first.seen.length === 400 && second.seen.length === 400);
    expect([first.anomalies, second.anomalies]).toEqual([[], []]);
    expect(first.detector.statistics()).toEqual({ received: 400, missing: 0, repeated: 0, reordered: 0 });
  });

  it("name producer, partition and numbers that were acknowledged and never came", async () => {
    const { seen, anomalies, detector } = await watching();
    const queue = await producing(faultyEngine(bed().engine, { 3: "lost", 4: "lost", 6: "lost" }));
    await publish(queue, 1, 8);
    await publish(queue, 9, 9);
    await bed().eventually(() => seen.length === 6);
    const missing = [
      { from: 3, to: 4 },
      { from: 6, to: 6 },
    ];
    expect(anomalies).toEqual([{ ...place, kind: "gap", missing }]);
    expect(detector.statistics()).toMatchObject({ received: 6, missing: 3 });
  });

  it("do not take a refused send or a recognised duplicate for a loss", async () => {
    const { seen, anomalies } = await watching();
    const refused = Object.fromEntries([3, 5, 6, 7, 12, 13].map((n) => [n, "refused" as const]));
    const queue = await producing(faultyEngine(bed().engine, refused));
    await publish(queue, 1, 10);
    await publish(queue, 11, 13);
    for (const n of [14, 15]) await queue.publish(notes, { to: "a", n }, { id: "same" });
    await publish(queue, 16, 20);
    await bed().eventually(() => seen.length === 13);
    expect(anomalies).toEqual([]);
  });

  it("number what a stage emits beside what its process publishes, and miss nothing of a decision that failed", async () => {
    const anomalies: SequenceAnomaly[] = [];
    const detector = gapDetector({ onAnomaly: (anomaly) => anomalies.push(anomaly) });
    const queue = await bed().queue([notes, echoes], { interceptors: [sequenceNumbers(), detector] });
    await queue.process<Note>({
      group: "echo",
      topic: notes,
      keys: () => [],
      decide: ({ value }) => {
        if (value.n === 7) throw new Error("no echo");
        return { emit: [emit(echoes, value), emit(echoes, value)] };
      },
    });
    let echoed = 0;
    await queue.consume<Note>({
      group: "g",
      topic: echoes,
      handle: async () => {
        echoed++;
        return done;
      },
    });
    await Promise.all([publish(queue, 1, 20), queue.publish(echoes, { to: "x", n: 0 })]);
    await bed().eventually(() => echoed === 39);
    expect(anomalies).toEqual([]);
    expect(detector.statistics()).toMatchObject({ received: 59, missing: 0 });
  });

  it("call a message met again a repeat, with its cause", async () => {
    const { queue: watcher, seen, anomalies, member, join } = await watching();
    const queue = await producing(faultyEngine(bed().engine, { 2: "twice" }));
    await publish(queue, 1, 1);
    await publish(queue, 2, 2);
    await bed().eventually(() => seen.length === 3);
    expect(anomalies).toEqual([{ ...place, kind: "repeat", cause: "stored-twice", number: 2 }]);
    await member.stop();
    // A member whose commit never came: the next one reads its message again.
    const died = await watcher.consume<Note>({ group: "watchers", topic: notes, handle: () => new Promise(() => 0) });
    await publish(queue, 3, 3);
    await bed().settle();
    died.kill();
    await join();
    await bed().eventually(() => seen.length === 4);
    expect(anomalies.slice(1)).toEqual([{ ...place, kind: "repeat", cause: "redelivered", number: 3 }]);
  });

  it("call a redriven message a repeat for its group, and nothing at all for others", async () => {
    const { queue: watcher, seen, anomalies } = await watching();
    let isBroken = true;
    await watcher.consume<Note>({
      group: "broken",
      topic: notes,
      handle: async () => (isBroken ? dead("as told") : done),
    });
    const queue = await producing();
    await publish(queue, 1, 1);
    await bed().eventually(async () => (await watcher.deadLetters("broken", notes, 1)).length === 1);
    isBroken = false;
    await watcher.redrive("broken", notes);
    await publish(queue, 2, 2);
    await bed().eventually(() => seen.length === 2);
    await bed().eventually(async () => (await watcher.groupStatistics("broken", notes))[0]?.committed === 3);
    expect(anomalies).toEqual([{ ...place, group: "broken", kind: "repeat", cause: "redriven", number: 1 }]);
  });

  it("tell a number that comes behind a later one", async () => {
    const { seen, anomalies } = await watching();
    const header = (number: number, settled: number) => ({
      ext: { "queue-core.sequence": `${number}:${settled}::p1` },
    });
    const append = (number: number, settled: number): AppendRequest => {
      const value = Buffer.from(JSON.stringify({ to: "a", n: number }));
      return { topic: "notes", partition: 0, key: "a", value, headers: header(number, settled) };
    };
    await bed().engine.commit({ append: [append(1, 0), append(3, 1), append(2, 1), append(5, 1), append(6, 5)] });
    await bed().engine.commit({ append: [append(4, 5)] });
    await bed().eventually(() => seen.length === 6);
    expect(anomalies).toEqual([
      { ...place, kind: "reordered", number: 2 },
      { ...place, kind: "gap", missing: [{ from: 4, to: 4 }] },
      { ...place, kind: "reordered", number: 4 },
    ]);
  });

  it("start in the middle, also when another process read a part in between", async () => {
    const queue = await producing();
    await publish(queue, 1, 5);
    const late = await watching();
    await bed().eventually(() => late.seen.length === 5);
    await late.member.stop();
    const between = await watching();
    await publish(queue, 6, 9);
    await bed().eventually(() => between.seen.length === 4);
    await between.member.stop();
    await late.join();
    await publish(queue, 10, 12);
    await bed().eventually(() => late.seen.length === 8);
    expect([late.anomalies, between.anomalies]).toEqual([[], []]);
  });

  it("take a new incarnation for a new producer, and leave delayed and half messages out", async () => {
    const { seen, anomalies, detector } = await watching();
    const [first, second] = [sequenceNumbers(), sequenceNumbers()];
    expect(first.producer).not.toBe(second.producer);
    const queues = await Promise.all([first, second].map((own) => bed().queue([notes], { interceptors: [own] })));
    for (const queue of queues) {
      await publish(queue, 1, 2);
      await queue.publish(notes, { to: "a", n: 3 }, { delayMs: 1_000 });
      const halves = await queue.transactional<Note>({ group: "h", topic: notes, checkBack: async () => "commit" });
      await halves.publish([{ to: "a", n: 4 }], async () => "commit");
      await publish(queue, 5, 6);
    }
    await bed().eventually(() => seen.length === 12);
    expect(anomalies).toEqual([]);
    expect(detector.statistics().received).toBe(8);
  });
});

/** What may be done to the queue, each to the real one and to the model, in any order. */
import fc from "fast-check";
import { expect } from "vitest";
import { dead, done, type LocalTransactionState, type Outcome, partitionOfKey, pause, retry } from "../../src/index.ts";
import type { Model } from "./model.ts";
import { pauseAfterMs, retryAfterMs } from "./window-model.ts";
import { type Job, partitions } from "./workload.ts";
import { jobs, type World } from "./world.ts";

type Step = fc.AsyncCommand<Model, World>;

const outcomes: Record<string, Outcome | "throw"> = {
  done,
  retry: retry({ afterMs: retryAfterMs }),
  throw: "throw",
  dead: dead("as told"),
  pause: pause({ afterMs: pauseAfterMs }),
};

/** A step that can be taken when the model says so; what cannot be taken is passed over, and shrinks away. */
function step(
  text: string,
  run: (model: Model, world: World) => Promise<void>,
  when: (model: Readonly<Model>) => boolean = () => true,
): Step {
  return {
    check: when,
    async run(model, world) {
      model.count(text.split(" ", 2).join(" "));
      await run(model, world);
      await world.compare();
    },
    toString: () => text,
  };
}

const key = fc.constantFrom("a", "b", "c", "d");
const isBad = fc.integer({ min: 0, max: 9 }).map((n) => n === 0);
const seconds = fc.integer({ min: 0, max: 3 });
const halfSecond = 500;
const seldom = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: some });

function nextJob(model: Model, of: { readonly key: string; readonly isBad: boolean }): Job {
  return { n: model.known.size, ...of };
}

const publish = fc
  .record({
    key,
    isBad,
    id: seldom(fc.constantFrom("i1", "i2")),
    delayS: seldom(seconds),
    deadlineS: seldom(seconds),
  })
  .map(({ key, isBad, id, delayS, deadlineS }) =>
    step(
      `publish ${delayS === undefined ? "now" : "later"} ${JSON.stringify({ key, isBad, id, delayS, deadlineS })}`,
      async (model, world) => {
        const job = nextJob(model, { key, isBad });
        const options = {
          ...(delayS === undefined ? {} : { delayMs: delayS * 1_000 + halfSecond }),
          ...(deadlineS === undefined ? {} : { deadlineMs: model.nowMs + deadlineS * 1_000 + halfSecond }),
        };
        const receipt = await world.queue.publish(jobs, job, { ...options, ...(id === undefined ? {} : { id }) });
        const partition = partitionOfKey(key, partitions);
        const isRepeat = model.isRepeat(key, id);
        const offset = isRepeat || delayS !== undefined ? undefined : model.logs[partition]?.length;
        expect(receipt).toEqual({ partition, offset, duplicate: isRepeat });
        if (!isRepeat) model.published(job, options);
      },
    ),
  );

const request = fc.record({ key, isBad, timeoutS: seconds }).map(({ key, isBad, timeoutS }) =>
  step(`request of ${key}${isBad ? " bad" : ""}, timeout ${timeoutS}.5 s`, async (model, world) => {
    const job = nextJob(model, { key, isBad });
    const timeoutMs = timeoutS * 1_000 + halfSecond;
    model.requested(job, timeoutMs);
    world.request(job, timeoutMs);
  }),
);

const answer: fc.Arbitrary<LocalTransactionState> = fc.constantFrom("commit", "rollback", "unknown");
/** What the check-backs are told; mostly nothing, so that some are never answered. */
const plan = fc.array(fc.constantFrom<LocalTransactionState>("unknown", "unknown", "unknown", "commit", "rollback"), {
  minLength: 1,
  maxLength: 3,
});
const half = fc
  .record({
    keys: fc.array(key, { minLength: 1, maxLength: 2 }),
    answer,
    throws: fc.boolean(),
    plan,
  })
  .map(({ keys, answer, throws, plan }) => {
    const isThrown = throws && answer === "unknown";
    return step(`half message ${keys} ${isThrown ? "throw" : answer} [${plan}]`, async (model, world) => {
      const values = keys.map((key, index) => ({ n: model.known.size + index, key, isBad: false }));
      await world.sender.publish(values, async () => {
        if (isThrown) throw new Error("the local transaction broke");
        return answer;
      });
      for (const value of values) model.half(value, answer, plan);
    });
  });

const handle = fc
  .record({ which: fc.nat(9), outcome: fc.constantFrom(...Object.keys(outcomes)) })
  .map(({ which, outcome: name }) =>
    step(
      `${name} delivery ${which}`,
      async (model, world) => {
        const outcome = outcomes[name] as Outcome | "throw";
        const delivery = world.deliveries[which % world.deliveries.length];
        if (delivery === undefined) throw new Error("the model has a delivery, the handler has none");
        delivery.settle(outcome);
        model.answered(delivery.partition, delivery.offset, outcome);
      },
      (model) => model.window.running > 0,
    ),
  );

const redrive = fc.constantFrom("workers" as const, "ledger" as const, "sales" as const).map((group) =>
  step(`redrive ${group}`, async (model, world) => {
    expect(await world.queue.redrive(group, jobs)).toBe(model.redriven(group));
  }),
);

const advance = fc
  .integer({ min: 1, max: 4 })
  .map((s) => step(`advance ${s} s`, (_, world) => world.advance(s * 1_000)));

const how = fc.constantFrom("stop" as const, "kill" as const);
const members: fc.Arbitrary<Step>[] = [
  fc.constant(
    step(
      "start worker",
      async (model, world) => {
        model.running.hasWorker = true;
        await world.startWorker();
      },
      ({ running }) => !running.hasWorker,
    ),
  ),
  how.map((way) =>
    step(
      `${way} worker`,
      async (model, world) => {
        model.running.hasWorker = false;
        await world.endWorker(way);
      },
      ({ running }) => running.hasWorker,
    ),
  ),
  fc.constant(
    step(
      "start ledger",
      async (model, world) => {
        model.running.ledgers++;
        await world.startLedger();
      },
      ({ running }) => running.ledgers < 2,
    ),
  ),
  fc.tuple(how, fc.nat(1)).map(([way, which]) =>
    step(
      `${way} ledger ${which}`,
      async (model, world) => {
        model.running.ledgers--;
        await world.endLedger(which, way);
      },
      ({ running }) => which < running.ledgers,
    ),
  ),
  fc.constant(
    step(
      "close gate",
      async (model, world) => {
        model.running.isGateClosed = true;
        world.closeGate();
      },
      ({ running }) => !running.isGateClosed,
    ),
  ),
  fc.constant(
    step(
      "open gate",
      async (model, world) => {
        model.running.isGateClosed = false;
        world.openGate();
      },
      ({ running }) => running.isGateClosed,
    ),
  ),
];

/** Publishing and answering weigh most, so that there is something to decide. */
export const anyCommands = fc.commands(
  [publish, publish, publish, request, half, handle, handle, handle, handle, redrive, advance, advance, ...members],
  { maxCommands: 60, size: "max" },
);

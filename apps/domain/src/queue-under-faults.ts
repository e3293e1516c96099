/**
 * A queue as its consumers see it while faults act: a group that is paused takes nothing, and what was handled is
 * handed out once more, as a crash between the work and its acknowledgement would.
 *
 * Costs nothing while no fault acts: each batch asks one value in memory.
 */
import { type ConsumeOptions, type Message, type Outcome, type ProcessOptions, pause, type Queue } from "queue-core";
import type { FaultStore } from "./faults.ts";

/** A pause that is ended early is noticed within this. */
const lookEveryMs = 200;

export function queueUnderFaults(queue: Queue, faults: FaultStore): Queue {
  return new Proxy(queue, {
    get(target, name) {
      if (name === "consume") return <T>(options: ConsumeOptions<T>) => target.consume(consuming(options, faults));
      if (name === "process") {
        return <T, Facts>(options: ProcessOptions<T, Facts>) => target.process(processing(options, faults));
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const isPaused = (faults: FaultStore, group: string): boolean => faults.active("pause-group")?.order.group === group;

function consuming<T>(options: ConsumeOptions<T>, faults: FaultStore): ConsumeOptions<T> {
  const { group, handle } = options;
  return {
    ...options,
    async handle(batch, signal) {
      if (isPaused(faults, group)) {
        faults.hit("pause-group");
        return pause({ afterMs: lookEveryMs });
      }
      const outcomes = await handle(batch, signal);
      const twice = faults.active("deliver-twice");
      return twice?.order.group === group
        ? deliverAgain({ batch, outcomes, every: twice.order.every, faults }, (again) => handle(again, signal))
        : outcomes;
    },
  };
}

interface Delivered<T> {
  readonly batch: readonly Message<T>[];
  readonly outcomes: readonly Outcome[] | Outcome;
  readonly every: number;
  readonly faults: FaultStore;
}

/** Every n-th of those done, by its offset; what the second delivery says of it counts. */
async function deliverAgain<T>(
  { batch, outcomes, every, faults }: Delivered<T>,
  handle: (again: readonly Message<T>[]) => Promise<readonly Outcome[] | Outcome>,
): Promise<readonly Outcome[] | Outcome> {
  const first = listOf(outcomes, batch.length);
  const indexes = [...batch.keys()].filter(
    (index) => first[index]?.kind === "done" && offsetOf(batch, index) % every === 0,
  );
  if (indexes.length === 0) return outcomes;
  const again = indexes.flatMap((index) => batch[index] ?? []);
  faults.hit("deliver-twice", again.length);
  const second = listOf(await handle(again), again.length);
  return first.map((outcome, index) => second[indexes.indexOf(index)] ?? outcome);
}

const offsetOf = <T>(batch: readonly Message<T>[], index: number): number => batch[index]?.offset ?? 0;

const listOf = (outcomes: readonly Outcome[] | Outcome, length: number): readonly Outcome[] =>
  Array.isArray(outcomes) ? outcomes : Array<Outcome>(length).fill(outcomes as Outcome);

function processing<T, Facts>(options: ProcessOptions<T, Facts>, faults: FaultStore): ProcessOptions<T, Facts> {
  const { group, pace } = options;
  return {
    ...options,
    async pace(batch, signal) {
      if (isPaused(faults, group)) await pauseIsOver(faults, group, signal);
      return pace === undefined ? batch.length : pace(batch, signal);
    },
  };
}

async function pauseIsOver(faults: FaultStore, group: string, signal: AbortSignal): Promise<void> {
  faults.hit("pause-group");
  while (isPaused(faults, group) && !signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

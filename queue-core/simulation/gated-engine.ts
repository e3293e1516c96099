/**
 * An engine as one simulated process reaches it: calls go in and answers come out through the process's gate.
 *
 * What can go wrong: a call that is put off while the process runs would arrive in another order than it was made;
 * with the gate open a call is made at once, in the same step.
 */
import type { Engine } from "../src/engine.ts";
import type { Gate } from "./gate.ts";

type AsyncCall = (...args: unknown[]) => Promise<unknown>;
type Listener = (...args: unknown[]) => void;

/** Answered on the spot. */
const immediate: ReadonlySet<string | symbol> = new Set(["now", "topic", "topics", "statistics"]);
/** The last argument is a listener, the answer is how to stop. */
const subscribing: ReadonlySet<string | symbol> = new Set(["onAppend", "onStateChange"]);

export function gatedEngine(engine: Engine, gate: Gate): Engine {
  return new Proxy(engine, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      // Several processes share the engine; the machine closes it.
      if (name === "close") return async () => undefined;
      if (immediate.has(name)) return value.bind(target);
      if (subscribing.has(name)) return subscribe(value.bind(target), gate);
      return call(value.bind(target) as AsyncCall, gate);
    },
  });
}

function subscribe(method: (...args: unknown[]) => () => void, gate: Gate) {
  return (...args: unknown[]) => {
    const listener = args.at(-1) as Listener;
    return method(...args.slice(0, -1), (...told: unknown[]) => gate.pass(() => listener(...told)));
  };
}

function call(method: AsyncCall, gate: Gate): AsyncCall {
  return (...args) =>
    new Promise((resolve, reject) => {
      gate.pass(() => {
        // A call put off is made in an event of its own: what it throws must reach the caller there, too.
        let answer: Promise<unknown>;
        try {
          answer = method(...args);
        } catch (error) {
          answer = Promise.reject(error);
        }
        answer.then(
          (value) => gate.pass(() => resolve(value)),
          (error: unknown) => gate.pass(() => reject(error)),
        );
      });
    });
}

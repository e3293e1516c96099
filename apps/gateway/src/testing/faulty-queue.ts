/** For tests: a queue whose requester misbehaves as ordered. */
import type { Queue, Requester, Topic } from "queue-core";

export interface Misbehaviour {
  /** Called in place of `send`; undefined: the real one. */
  send?: (
    real: Requester["send"],
    topic: Topic<unknown>,
    value: unknown,
    options: Parameters<Requester["send"]>[2],
  ) => ReturnType<Requester["send"]> | undefined;
}

/** The order may change while it runs. */
export function withFaultyRequester(order: Misbehaviour): (queue: Queue) => Queue {
  return (queue) =>
    overriding(queue, {
      requester: async () => {
        const real = await queue.requester();
        const send: Requester["send"] = real.send.bind(real);
        return overriding(real, {
          send: ((topic: Topic<unknown>, value: unknown, options: Parameters<Requester["send"]>[2]) =>
            order.send?.(send, topic, value, options) ?? send(topic, value, options)) as Requester["send"],
        });
      },
    });
}

/** A class with private fields cannot be inherited from by delegation, so calls are bound to the real one. */
export function overriding<T extends object>(real: T, overrides: Partial<T>): T {
  return new Proxy(real, {
    get(target, key) {
      if (key in overrides) return Reflect.get(overrides, key);
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

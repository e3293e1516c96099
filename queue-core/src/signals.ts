/**
 * Hands what the engine and the members of this process tell on to those who wait for it.
 *
 * What can go wrong: with one engine listener per partition loop every append would call all of them; here one
 * listener serves all loops, and looks the partition up. A subscription that nobody ends would leak; `on` hands
 * back how to end it.
 */
import type { Engine } from "./engine.ts";

type Listener = () => void;

/** Named signals; the names are given by those who use it. */
export class Signals {
  readonly #listeners = new Map<string, Set<Listener>>();

  on(name: string, listener: Listener): () => void {
    let listeners = this.#listeners.get(name);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(name, listeners);
    }
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(name) === listeners) this.#listeners.delete(name);
    };
  }

  raise(name: string): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) return;
    for (const listener of [...listeners]) listener();
  }
}

/** Tells a partition's readers that messages became visible there. */
export class AppendSignals {
  readonly #byTopic = new Map<string, Map<number, Set<Listener>>>();
  readonly #stop: () => void;

  constructor(engine: Engine) {
    this.#stop = engine.onAppend((topic, partition) => {
      const listeners = this.#byTopic.get(topic)?.get(partition);
      if (listeners === undefined) return;
      for (const listener of listeners) listener();
    });
  }

  on(topic: string, partition: number, listener: Listener): () => void {
    let partitions = this.#byTopic.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#byTopic.set(topic, partitions);
    }
    let listeners = partitions.get(partition);
    if (listeners === undefined) {
      listeners = new Set();
      partitions.set(partition, listeners);
    }
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  stop(): void {
    this.#stop();
    this.#byTopic.clear();
  }
}

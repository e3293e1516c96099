/**
 * Tells listeners what became visible, after the call that made it visible has returned.
 *
 * What can go wrong: a listener that commits again inside the commit that woke it, or one that throws in the
 * middle of an apply. Promises: listeners run in a microtask of their own, once per partition or namespace
 * however many commits touched it; a throw reaches the process as an uncaught error and stops no other listener.
 */
import type { Namespace } from "../engine.ts";

type AppendListener = (topic: string, partition: number) => void;

export class AppendNotifier {
  readonly #appendListeners = new Set<AppendListener>();
  readonly #stateListeners = new Map<Namespace, Set<() => void>>();
  /** Touched partitions by topic. */
  #appended = new Map<string, Set<number>>();
  #written = new Set<Namespace>();
  #scheduled = false;

  onAppend(listener: AppendListener): () => void {
    const own: AppendListener = (topic, partition) => listener(topic, partition);
    this.#appendListeners.add(own);
    return () => this.#appendListeners.delete(own);
  }

  onStateChange(namespace: Namespace, listener: () => void): () => void {
    const own = () => listener();
    let listeners = this.#stateListeners.get(namespace);
    if (listeners === undefined) {
      listeners = new Set();
      this.#stateListeners.set(namespace, listeners);
    }
    listeners.add(own);
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#stateListeners.get(namespace) === listeners) {
        this.#stateListeners.delete(namespace);
      }
    };
  }

  appended(topic: string, partition: number): void {
    if (this.#appendListeners.size === 0) return;
    let partitions = this.#appended.get(topic);
    if (partitions === undefined) {
      partitions = new Set();
      this.#appended.set(topic, partitions);
    }
    partitions.add(partition);
    this.#schedule();
  }

  written(namespace: Namespace): void {
    if (!this.#stateListeners.has(namespace)) return;
    this.#written.add(namespace);
    this.#schedule();
  }

  /** Something may have been written in any namespace. */
  writtenAnywhere(): void {
    for (const namespace of this.#stateListeners.keys()) this.written(namespace);
  }

  clear(): void {
    this.#appendListeners.clear();
    this.#stateListeners.clear();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#notify());
  }

  #notify(): void {
    const appended = this.#appended;
    const written = this.#written;
    this.#appended = new Map();
    this.#written = new Set();
    this.#scheduled = false;
    for (const [topic, partitions] of appended) {
      for (const partition of partitions) {
        for (const listener of this.#appendListeners) guarded(() => listener(topic, partition));
      }
    }
    for (const namespace of written) {
      for (const listener of this.#stateListeners.get(namespace) ?? []) guarded(listener);
    }
  }
}

function guarded(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/**
 * An engine as one simulated process reaches it: calls go in and answers come out through the process's gate.
 *
 * What can go wrong: a call that is put off while the process runs would arrive in another order than it was made;
 * with the gate open a call is made at once, in the same step.
 */
import type { Engine } from "../src/engine.ts";
import type { Gate } from "./gate.ts";
import { passedOn } from "./passed-on.ts";

export function gatedEngine(engine: Engine, gate: Gate): Engine {
  const call = <Answer>(make: () => Promise<Answer>) => callThrough(gate, make);
  return passedOn(engine, {
    declareTopics: (topics) => call(() => engine.declareTopics(topics)),
    commit: (commit) => call(() => engine.commit(commit)),
    read: (topic, partition, from, limits) => call(() => engine.read(topic, partition, from, limits)),
    range: (topic, partition) => call(() => engine.range(topic, partition)),
    committedOffset: (ref) => call(() => engine.committedOffset(ref)),
    readState: (namespace, keys) => call(() => engine.readState(namespace, keys)),
    scanState: (namespace, options) => call(() => engine.scanState(namespace, options)),
    countState: (namespace) => call(() => engine.countState(namespace)),
    acquireLease: (ref) => call(() => engine.acquireLease(ref)),
    renewLease: (lease, ttlMs) => call(() => engine.renewLease(lease, ttlMs)),
    releaseLease: (lease) => call(() => engine.releaseLease(lease)),
    leases: (group, topic) => call(() => engine.leases(group, topic)),
    heartbeat: (group, member, ttlMs) => call(() => engine.heartbeat(group, member, ttlMs)),
    members: (group) => call(() => engine.members(group)),
    onAppend: (listener) => engine.onAppend((...appended) => gate.pass(() => listener(...appended))),
    onStateChange: (namespace, listener) => engine.onStateChange(namespace, () => gate.pass(listener)),
    // Several processes share the engine; the machine closes it.
    close: async () => undefined,
  });
}

function callThrough<Answer>(gate: Gate, make: () => Promise<Answer>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    gate.pass(() => {
      // A call put off is made in an event of its own: what it throws must reach the caller there, too.
      let answer: Promise<Answer>;
      try {
        answer = make();
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

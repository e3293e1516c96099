/**
 * Recognises a repeat of a publisher's own send by its message id.
 *
 * Contracts:
 * - Of any number of sends with one id to one partition within 10 minutes one is stored, also across a restart; all
 *   others resolve `duplicate: true`, once the first one is durable.
 * - A send that was refused files no id.
 *
 * What can go wrong: looking first and publishing afterwards lets two repeats through at once. Here the id is
 * filed by the very commit that appends, which expects it to be absent: of any number of repeats within the
 * window one is stored. After the window a repeat is a new message; no truth may rest on more.
 */
import type { StateExpectation, StateWrite } from "./engine.ts";
import { seenNamespace } from "./namespaces.ts";

export const deduplicationWindowMs = 600_000;

const seen = Buffer.alloc(0);

export function firstSend(
  topic: string,
  partition: number,
  id: string,
  nowMs: number,
): { readonly expect: readonly StateExpectation[]; readonly put: StateWrite } {
  const namespace = seenNamespace(topic, partition);
  return {
    expect: [{ namespace, key: id, is: "absent" }],
    put: { namespace, key: id, value: seen, expiresAtMs: nowMs + deduplicationWindowMs },
  };
}

/**
 * The oracle of `publish`: what clients sent, what they were told, and what is in the log in the end.
 *
 *     told                                   in the log
 *     stored                                 once, at the offset that was told, not before it was due
 *     a duplicate                            once (by an earlier send of the same id)
 *     refused with outcome "not stored"      never
 *     outcome unknown, or never told         never or once
 *     anything else                          nothing: what nobody sent is not there
 *
 * Sends of one id within the window of 10 minutes are one message. A send that began after another of its key was
 * acknowledged lies behind it.
 */
import { deduplicationWindowMs } from "../../src/deduplication.ts";
import { QueueError } from "../../src/errors.ts";
import type { PublishReceipt } from "../../src/queue.ts";
import { partitionOfKey } from "../../src/topic.ts";
import type { CommitHistory } from "../commit-history.ts";
import type { HeldMessage } from "../engine-content.ts";
import type { World } from "../world.ts";
import { redrivenFor } from "./deliveries.ts";
import { topics } from "./topics.ts";

export interface Send {
  readonly uid: string;
  readonly topic: { readonly name: string; readonly partitions: number };
  readonly key: string;
  readonly id: string | undefined;
  /** Engine time of the call. */
  readonly sentMs: number;
  /** Engine time before which it must not be visible. */
  readonly dueMs: number;
  readonly startedAt: number;
  told: "nothing" | "stored" | "duplicate" | "not stored" | "unknown";
  endedAt: number;
  receipt: PublishReceipt | undefined;
}

export interface Found {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly message: HeldMessage;
}

export class Sends {
  readonly #world: World;
  readonly #history: CommitHistory;
  readonly #sends: Send[] = [];
  #steps = 0;

  constructor(world: World, history: CommitHistory) {
    this.#world = world;
    this.#history = history;
  }

  get all(): readonly Send[] {
    return this.#sends;
  }

  begin(asked: Pick<Send, "uid" | "topic" | "key" | "id" | "sentMs" | "dueMs">): Send {
    const send: Send = {
      ...asked,
      startedAt: this.#steps++,
      told: "nothing",
      endedAt: Number.MAX_SAFE_INTEGER,
      receipt: undefined,
    };
    this.#sends.push(send);
    this.#world.note("send", `${send.topic.name} ${send.uid}${send.id === undefined ? "" : ` id ${send.id}`}`);
    return send;
  }

  stored(send: Send, receipt: PublishReceipt): void {
    this.#end(send, receipt.duplicate ? "duplicate" : "stored");
    send.receipt = receipt;
  }

  refused(send: Send, error: unknown): void {
    this.#end(send, error instanceof QueueError && error.outcome === "not_stored" ? "not stored" : "unknown");
  }

  #end(send: Send, told: Send["told"]): void {
    send.told = told;
    send.endedAt = this.#steps++;
    this.#world.note("told", `${send.uid}: ${told}`);
  }

  /** Every message of the log by the uid in it, redriven copies left out. */
  found(): ReadonlyMap<string, readonly Found[]> {
    const byUid = new Map<string, Found[]>();
    for (const { name, partitions } of topics) {
      for (let partition = 0; partition < partitions; partition++) {
        for (const [offset, message] of this.#history.messages(name, partition)) {
          const { uid } = JSON.parse(message.value.toString()) as { uid?: string };
          if (uid === undefined || redrivenFor(message) !== undefined) continue;
          const known = byUid.get(uid) ?? [];
          known.push({ topic: name, partition, offset, message });
          byUid.set(uid, known);
        }
      }
    }
    return byUid;
  }

  /** At the end, when nothing is delayed any more. `others`: uids that came into the log by another way. */
  check(others: ReadonlySet<string>): void {
    const found = this.found();
    const byUid = Map.groupBy(this.#sends, ({ uid }) => uid);
    for (const [uid, sends] of byUid) this.#checkOne(uid, sends, found.get(uid) ?? []);
    for (const [uid, [first]] of found) {
      if (!byUid.has(uid) && !others.has(uid))
        this.#world.fail("nothing is invented", `${uid} in ${first?.topic}/${first?.partition} ${first?.offset}`);
    }
    this.#checkOrder();
  }

  #checkOne(uid: string, sends: readonly Send[], found: readonly Found[]): void {
    const told = sends.map((send) => send.told);
    const what = `${uid} (told ${told.join(", ")}) is stored ${found.length} times`;
    const isCertain = told.includes("stored") || told.includes("duplicate");
    if (isCertain && found.length === 0) this.#world.fail("nothing acknowledged is lost", what);
    if (told.every((one) => one === "not stored") && found.length > 0)
      this.#world.fail("what is refused is not stored", what);
    const windows = windowsOf(sends.map(({ sentMs }) => sentMs));
    if (found.length > windows) this.#world.fail("a send is stored once", `${what}, in ${windows} windows`);
    const firstMs = Math.min(...found.map(({ message }) => message.timestampMs ?? Number.POSITIVE_INFINITY));
    const dueMs = Math.min(...sends.map((send) => send.dueMs));
    if (firstMs < dueMs) this.#world.fail("a delayed message is not early", `${uid} at ${firstMs}, due ${dueMs}`);
    for (const { receipt } of sends) {
      if (receipt?.offset === undefined) continue;
      if (!found.some(({ partition, offset }) => partition === receipt.partition && offset === receipt.offset))
        this.#world.fail(
          "a message is where its receipt says",
          `${uid} is not at ${receipt.partition}/${receipt.offset}`,
        );
    }
  }

  #checkOrder(): void {
    const stored = this.#sends.filter(({ told, receipt }) => told === "stored" && receipt?.offset !== undefined);
    const byKey = Map.groupBy(stored, ({ topic, key }) => `${topic.name}/${partitionOfKey(key, topic.partitions)}`);
    for (const sends of byKey.values()) {
      const byStart = sends.toSorted((a, b) => a.startedAt - b.startedAt);
      const byEnd = sends.toSorted((a, b) => a.endedAt - b.endedAt);
      let ended = 0;
      let newest: Send | undefined;
      for (const send of byStart) {
        for (; (byEnd[ended]?.endedAt ?? Number.POSITIVE_INFINITY) < send.startedAt; ended++) {
          const one = byEnd[ended] as Send;
          if (newest === undefined || offsetOf(one) > offsetOf(newest)) newest = one;
        }
        if (newest !== undefined && offsetOf(newest) >= offsetOf(send))
          this.#world.fail("order of sends", `${send.uid} lies before ${newest.uid}, which was acknowledged before`);
      }
    }
  }
}

function offsetOf(send: Send): number {
  return send.receipt?.offset as number;
}

/** How often a message may be there that was sent at those times: once for each window that begins with a send. */
function windowsOf(sentMs: readonly number[]): number {
  let windows = 0;
  let endMs = Number.NEGATIVE_INFINITY;
  for (const ms of sentMs.toSorted((a, b) => a - b)) {
    if (ms < endMs) continue;
    windows++;
    endMs = ms + deduplicationWindowMs;
  }
  return windows;
}

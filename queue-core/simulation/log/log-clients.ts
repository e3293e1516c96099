/**
 * Those who use the engine's port directly: they commit, read, take leases from each other, and go on when stale.
 *
 * Checked at each read: what is readable is what was acknowledged, in order, without a gap, from where it was asked
 * or from where the log begins; a lease is given to one member at a time; an entry reads as it was written last.
 */
import type { AppendRequest, Commit, Engine, Lease, StateExpectation, StateWrite } from "../../src/engine.ts";
import { QueueError } from "../../src/errors.ts";
import type { CommitHistory } from "../commit-history.ts";
import type { SimulatedProcess } from "../machine.ts";
import type { Random } from "../random.ts";
import type { World } from "../world.ts";

const logTopics = [
  { name: "orders", partitions: 2 },
  { name: "ring", partitions: 1, ringMessages: 5 },
] as const;
const group = "owners";
const namespaces = ["left", "right"] as const;

interface HeldLease {
  readonly lease: Lease;
  askedTo: number;
  /** It appends under its lease; otherwise it only acknowledges. */
  readonly decides: boolean;
}

export class LogClient {
  readonly #world: World;
  readonly #history: CommitHistory;
  readonly #engine: Engine;
  readonly #process: SimulatedProcess;
  readonly #random: Random;
  /** By partition; the newest it was given, stale or not. */
  readonly #held = new Map<number, HeldLease>();
  #isDeclared = false;
  #isStopped = false;
  #publishes = 0;

  constructor(world: World, history: CommitHistory, process: SimulatedProcess) {
    this.#world = world;
    this.#history = history;
    this.#engine = process.engine;
    this.#process = process;
    this.#random = process.random.fork("client");
  }

  /** How many commits from outside were acknowledged: those that a full disk refuses first. */
  get publishes(): number {
    return this.#publishes;
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Ends with the process, with the log, or once it was stopped. On a full disk it tries again, however it begins. */
  async run(): Promise<void> {
    while (!this.#isStopped) {
      const count = this.#random.chance(0.3) ? this.#random.integer(2, 6) : 1;
      try {
        if (!this.#isDeclared) await this.#engine.declareTopics(logTopics);
        this.#isDeclared = true;
        await Promise.all(Array.from({ length: count }, () => this.#act()));
      } catch (error) {
        if (!this.#isExplained(error)) throw error;
      }
      await this.#process.timers.sleep(this.#random.between(0, 30));
    }
  }

  #isExplained(error: unknown): boolean {
    if (!(error instanceof QueueError)) return error instanceof Error && "code" in error && error.code === "EIO";
    if (error.code === "CLOSED" || error.outcome === "unknown") this.#isStopped = true;
    return error.code !== "CORRUPT" && error.code !== "INVALID_ARGUMENT";
  }

  async #act(): Promise<void> {
    const die = this.#random.next();
    if (die < 0.35) await this.#publish();
    else if (die < 0.5) await this.#engine.commit({ put: this.#writes(), expect: this.#expectations() });
    else if (die < 0.75) await this.#commitAsOwner();
    else if (die < 0.85) await this.#takeLease();
    else if (die < 0.97) await this.#read();
    else await this.#engine.declareTopics([...logTopics, { name: `more-${this.#random.below(3)}`, partitions: 1 }]);
  }

  async #publish(): Promise<void> {
    await this.#engine.commit({ append: this.#messages() });
    this.#publishes++;
  }

  /** Also when the lease is long stale: then it has to be refused. */
  async #commitAsOwner(): Promise<void> {
    if (this.#held.size === 0) return this.#takeLease();
    const held = this.#random.pick([...this.#held.values()]);
    const { lease, decides } = held;
    const { topic, partition } = lease;
    const { end } = await this.#engine.range(topic, partition);
    const committed = await this.#engine.committedOffset(lease);
    // Others of its own may be under way: an owner never goes back.
    held.askedTo = Math.max(held.askedTo, Math.min(end, committed + this.#random.below(4)));
    const commit: Commit = { fence: lease, advance: { group, topic, partition, to: held.askedTo } };
    const kind = this.#random.below(decides ? 3 : 2);
    if (kind === 0) await this.#engine.commit(commit);
    else if (kind === 1) await this.#engine.commit({ ...commit, put: this.#writes() });
    else await this.#engine.commit({ ...commit, put: this.#writes(), append: this.#messages() });
  }

  async #takeLease(): Promise<void> {
    const { name, partitions } = logTopics[0];
    const place = { group, topic: name, partition: this.#random.below(partitions) };
    const ttlMs = this.#random.integer(5, 300);
    const lease = await this.#engine.acquireLease({ ...place, member: this.#process.name, ttlMs });
    if (lease === undefined) {
      const old = this.#held.get(place.partition);
      if (old !== undefined && this.#random.chance(0.3)) await this.#engine.releaseLease(old.lease);
      return;
    }
    const askedTo = await this.#engine.committedOffset(lease);
    const isRenewed = this.#held.get(lease.partition)?.lease.epoch === lease.epoch;
    if (!isRenewed) this.#held.set(lease.partition, { lease, askedTo, decides: this.#random.chance(0.5) });
  }

  async #read(): Promise<void> {
    const { name, partitions } = this.#random.pick(logTopics);
    const partition = this.#random.below(partitions);
    const before = await this.#engine.range(name, partition);
    const from = this.#random.below(before.end + 2);
    const maxMessages = this.#random.pick([1, 3, 1_000]);
    const messages = await this.#engine.read(name, partition, from, { maxMessages });
    const after = await this.#engine.range(name, partition);
    const place = `${name}/${partition} from ${from}, kept ${before.start} to ${before.end}`;
    const first = messages[0]?.offset ?? from;
    if (first < from || (first > Math.max(from, after.start) && messages.length > 0))
      this.#world.fail("a read begins where it should", `${place}: begins at ${first}, log at ${after.start}`);
    if (messages.length === 0 && Math.max(from, after.start) < before.end)
      this.#world.fail("a read finds what is there", `${place}: nothing`);
    const held = this.#history.messages(name, partition);
    for (const [index, message] of messages.entries()) {
      const original = held.get(message.offset);
      const isSame = original?.key === message.key && original.value.equals(message.value);
      if (message.offset !== first + index || !isSame)
        this.#world.fail("what is read is what was stored", `${place}: ${message.offset} ${message.key}`);
    }
  }

  #messages(): readonly AppendRequest[] {
    const random = this.#random;
    return Array.from({ length: random.integer(1, 3) }, () => {
      const { name, partitions } = random.pick(logTopics);
      const value = Buffer.alloc(
        random.chance(0.2) ? random.below(700) : random.below(60),
        random.pick("abcdefgh".split("")),
      );
      const key = `k${random.below(5)}`;
      return { topic: name, partition: random.below(partitions), key, value };
    });
  }

  #writes(): readonly StateWrite[] {
    const random = this.#random;
    return Array.from({ length: random.integer(1, 3) }, () => {
      const entry = { namespace: random.pick(namespaces), key: `e${random.below(12)}` };
      if (random.chance(0.3)) return { ...entry, value: null };
      const value = Buffer.from(`${random.bits()}`);
      return random.chance(0.3)
        ? { ...entry, value, expiresAtMs: this.#engine.now() + random.integer(1, 2_000) }
        : { ...entry, value };
    });
  }

  #expectations(): readonly StateExpectation[] {
    const random = this.#random;
    if (random.chance(0.5)) return [];
    const is = random.chance(0.5) ? "present" : "absent";
    return [{ namespace: random.pick(namespaces), key: `e${random.below(12)}`, is }];
  }
}

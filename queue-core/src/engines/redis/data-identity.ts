/**
 * Whether Redis still has what it acknowledged.
 *
 * A cell has an `incarnation`, made once, and a `sequence`. Each call tells which incarnation this engine knows, how
 * many commits it has seen, and the last fork: the script refuses everything where the data end before that, are
 * others, or went on from before that after another server took over (call.lua, `whatIsLost`).
 *
 * What can go wrong: a fail-over to a replica that lacks acknowledged commits, an emptied Redis, a restored backup.
 * Promise: whoever has seen a commit that is gone finds it out with its next call, tells all others through the
 * cell's `lost` mark, and from then on everything is refused with DATA_LOST until an operator decides.
 */
import { QueueError } from "../../errors.ts";

/** What an application can keep outside of Redis, to find out on its next start what Redis lost meanwhile. */
export interface DataMark {
  /** Id of the cell's data, made when they began. */
  readonly incarnation: string;
  /** The highest sequence of a commit that is known to be stored. */
  readonly sequence: number;
  /** How often another server had taken over by then. */
  readonly fork?: number;
}

/** What a call was told, see the header of call.lua. */
export interface Told {
  readonly timeMs: number;
  readonly clockUs: number;
  readonly receivedMs: number;
  readonly firstSequence: number;
  readonly nextSequence: number;
  readonly entries: number;
  readonly ends: readonly number[];
  readonly results: 0 | readonly unknown[];
}

export class DataIdentity {
  readonly client: string;
  readonly #monotonicMs: () => number;
  readonly #onLost: (error: QueueError) => void;
  /** Empty until the engine is open. */
  incarnation = "";
  /** One past the highest sequence known here. */
  seen = 0;
  fork = 0;

  constructor(client: string, monotonicMs: () => number, onLost: (error: QueueError) => void) {
    this.client = client;
    this.#monotonicMs = monotonicMs;
    this.#onLost = onLost;
  }

  get mark(): DataMark {
    return { incarnation: this.incarnation, sequence: this.seen - 1, fork: this.fork };
  }

  /**
   * Other engines' commits up to that one were seen here. Those on a server that took over since this engine's last
   * call do not count: that call has yet to find out whether the server went on from all that was seen before it.
   */
  saw(nextSequence: number, fork: number): void {
    if (fork === this.fork) this.seen = Math.max(this.seen, nextSequence);
  }

  /** Throws DATA_LOST, UNKNOWN_FORMAT or STORAGE_FAILED. */
  read(reply: unknown): Told {
    if (!Array.isArray(reply)) throw new QueueError("STORAGE_FAILED", "the script gave no answer");
    const kind = String(reply[0]);
    if (kind === "lost") {
      const error = new QueueError("DATA_LOST", `Redis does not have what it acknowledged: ${String(reply[3])}`);
      this.#onLost(error);
      throw error;
    }
    if (kind === "format") {
      throw new QueueError("UNKNOWN_FORMAT", `the data in Redis have format ${String(reply[1])}, this version knows 1`);
    }
    if (kind !== "done") throw new QueueError("STORAGE_FAILED", "a later call of this engine was answered before");
    const [, timeMs, clockUs, fork, firstSequence, nextSequence, entries, ends, results, incarnation] = reply;
    this.fork = fork;
    this.saw(nextSequence, fork);
    if (incarnation !== undefined) this.incarnation = String(incarnation);
    return {
      timeMs,
      clockUs,
      receivedMs: this.#monotonicMs(),
      firstSequence,
      nextSequence,
      entries,
      ends,
      results: results === 0 ? 0 : results,
    };
  }
}

/**
 * What upkeep.ts asks of call.lua. What can go wrong, and the promise, stand at the head of operations.ts.
 */
import type { CallWriter, Place } from "./call-writer.ts";
import { groupsSuffix, offsetsSuffix } from "./cell-keys.ts";
import { type Operation, SmallOperation } from "./operations.ts";

/** What Redis uses. */
export interface MemoryUse {
  readonly usedBytes: number;
  /** 0: nothing bounds it. */
  readonly maxBytes: number;
}

export interface Watch {
  readonly memory: MemoryUse;
  /** Whether it is for this engine to drop old messages. */
  readonly isKeeper: boolean;
  /** Of all engines on this cell, as they told so far. */
  readonly allRoundTrips: number;
}

export class WatchOperation extends SmallOperation<Watch> implements Operation {
  readonly #keeperMs: number;
  readonly #roundTrips: number;

  /** Whoever keeps does so until it has not asked for `keeperMs`; `roundTrips` that were not told of yet. */
  constructor(keeperMs: number, roundTrips: number) {
    super();
    this.#keeperMs = keeperMs;
    this.#roundTrips = roundTrips;
  }

  write(out: CallWriter): void {
    out.array(3);
    out.number(9);
    out.number(this.#keeperMs);
    out.number(this.#roundTrips);
  }

  settle(result: unknown): void {
    const [usedBytes, maxBytes, isKeeper, allRoundTrips] = result as readonly [number, number, number, number];
    this.resolve({ memory: { usedBytes, maxBytes }, isKeeper: isKeeper === 1, allRoundTrips });
  }
}

/** Gives how many messages went. */
export class DropOperation extends SmallOperation<number> implements Operation {
  readonly #place: Place;
  readonly #keep: { readonly ms: number; readonly messages: number };

  constructor(place: Place, keep: { readonly ms: number; readonly messages: number }) {
    super();
    this.#place = place;
    this.#keep = keep;
  }

  write(out: CallWriter): void {
    out.array(6);
    out.number(8);
    out.number(out.placeNumber(this.#place));
    out.text(groupsSuffix(this.#place.topic));
    out.text(offsetsSuffix(this.#place.topic, ""));
    out.number(this.#keep.ms);
    out.number(this.#keep.messages);
  }

  settle(result: unknown): void {
    this.resolve(result as number);
  }
}

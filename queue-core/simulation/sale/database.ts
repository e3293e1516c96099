/**
 * What lives outside the machine and survives it: local transactions of half messages, and the ledger that keeps its
 * own offsets beside its effects.
 */
import type { LocalTransactionState, Message } from "../../src/queue.ts";
import type { Random } from "../random.ts";
import type { World } from "../world.ts";

/** `open`: begun; nobody may know yet how it ends. */
export type TransactionState = "open" | "committed" | "rolled back";

export class Database {
  readonly #random: Random;
  readonly #transactions = new Map<string, TransactionState>();
  readonly #ledger = new Map<
    number,
    { next: number; readonly lines: { readonly offset: number; readonly value: string }[] }
  >();

  constructor(world: World) {
    this.#random = world.random.fork("database");
  }

  transaction(uid: string): TransactionState | undefined {
    return this.#transactions.get(uid);
  }

  /** Unless a check-back has ended it already. */
  begin(uid: string): void {
    if (!this.#transactions.has(uid)) this.#transactions.set(uid, "open");
  }

  /** False where a check-back has ended it before. */
  end(uid: string, state: "committed" | "rolled back"): boolean {
    if (this.#transactions.get(uid) !== "open") return false;
    this.#transactions.set(uid, state);
    return true;
  }

  /** A transaction that nobody has begun or ended is ended here, so that the answer stays true. */
  checkBack(uid: string): LocalTransactionState {
    const state = this.#transactions.get(uid);
    if (state === "committed") return "commit";
    if (state === "rolled back") return "rollback";
    if (this.#random.chance(0.3)) return "unknown";
    this.#transactions.set(uid, "rolled back");
    return "rollback";
  }

  ledgerOffset(partition: number): number {
    return this.#of(partition).next;
  }

  ledgerLines(partition: number): readonly { readonly offset: number; readonly value: string }[] {
    return this.#of(partition).lines;
  }

  /** One transaction: what the ledger has already is passed by, so that a batch may come again. */
  keepInLedger(batch: readonly Message<unknown>[]): void {
    for (const { partition, offset, value } of batch) {
      const ledger = this.#of(partition);
      if (offset < ledger.next) continue;
      ledger.lines.push({ offset, value: JSON.stringify(value) });
      ledger.next = offset + 1;
    }
  }

  #of(partition: number) {
    let ledger = this.#ledger.get(partition);
    if (ledger === undefined) {
      ledger = { next: 0, lines: [] };
      this.#ledger.set(partition, ledger);
    }
    return ledger;
  }
}

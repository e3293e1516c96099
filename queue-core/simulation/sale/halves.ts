/**
 * The oracle of half messages, and those who send them: visible if and only if the local transaction committed.
 *
 * What can go wrong: the sender dies at any point, its word is lost, or it is so slow that a check-back comes first.
 * The outside database says how each transaction ended; whoever asked it first has fixed that.
 */
import { QueueError } from "../../src/errors.ts";
import type { LocalTransactionState } from "../../src/queue.ts";
import type { Random } from "../random.ts";
import type { World } from "../world.ts";
import type { Database } from "./database.ts";
import type { Found } from "./sends.ts";
import type { ShopProcess } from "./shop-process.ts";
import type { Note } from "./topics.ts";

/** Thrown by a local transaction whose end nobody heard of. */
export const lostWord = "the connection was lost after the commit";

interface SentHalf {
  readonly transaction: string;
  readonly uid: string;
  told: "nothing" | "visible" | "rolled back";
}

export function transactionOf(uid: string): string {
  return uid.slice(0, uid.indexOf("/"));
}

export class Halves {
  readonly #world: World;
  readonly #database: Database;
  readonly #checkAfterMs: number;
  readonly #sent: SentHalf[] = [];

  constructor(world: World, database: Database, checkAfterMs: number) {
    this.#world = world;
    this.#database = database;
    this.#checkAfterMs = checkAfterMs;
  }

  get uids(): ReadonlySet<string> {
    return new Set(this.#sent.map(({ uid }) => uid));
  }

  /** One to three notes that stand or fall together; settles as `publish` does. */
  async send(process: ShopProcess, transaction: string, key: string, random: Random): Promise<void> {
    const values = Array.from({ length: random.integer(1, 3) }, (_, index): Note => {
      return { uid: `${transaction}/${index}`, key: index === 0 ? key : `${key}${index}` };
    });
    const sent = values.map(({ uid }): SentHalf => ({ transaction, uid, told: "nothing" }));
    this.#sent.push(...sent);
    let state = "unknown" as LocalTransactionState;
    try {
      await process.halves.publish(values, async () => {
        state = await this.#transact(process, transaction, random);
        return state;
      });
      if (state === "commit") for (const half of sent) half.told = "visible";
      this.#world.note("half told", `${transaction}: ${state}`);
    } catch (error) {
      this.#world.note("half told", `${transaction}: ${String(error)}`);
      if (!(error instanceof QueueError)) throw error;
      if (error.code === "HALF_ROLLED_BACK" && values.length === 1) (sent[0] as SentHalf).told = "rolled back";
    }
  }

  async #transact(process: ShopProcess, transaction: string, random: Random): Promise<LocalTransactionState> {
    const database = this.#database;
    database.begin(transaction);
    await process.process.timers.sleep(random.between(0, random.chance(0.3) ? 3 * this.#checkAfterMs : 20));
    database.end(transaction, random.chance(0.7) ? "committed" : "rolled back");
    if (random.chance(0.1)) throw new Error(lostWord);
    if (random.chance(0.1)) return "unknown";
    return database.transaction(transaction) === "committed" ? "commit" : "rollback";
  }

  /** At the end, when no half message waits any more. `buried`: uids that check-backs gave up on. */
  check(found: ReadonlyMap<string, readonly Found[]>, buried: ReadonlySet<string>): void {
    for (const { uid, transaction, told } of this.#sent) {
      const state = this.#database.transaction(transaction);
      const count = found.get(uid)?.length ?? 0;
      const expected = state === "committed" && !buried.has(uid) ? 1 : 0;
      const what = `${uid}: transaction ${state}, ${buried.has(uid) ? "given up, " : ""}told ${told}, visible ${count} times`;
      if (count !== expected) this.#world.fail("a half message is visible iff its transaction committed", what);
      if ((told === "visible" && count !== 1) || (told === "rolled back" && count !== 0))
        this.#world.fail("what the sender of a half message is told is true", what);
    }
  }
}

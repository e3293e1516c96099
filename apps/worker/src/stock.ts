/**
 * Stage 2: stock (库存锁定). The only decider of a sale: reads `stock-commands`, ends purchases, moves units.
 *
 * How it runs. The topic's key is the sale, so all commands of a sale lie in one partition, in one order, and a
 * partition has one owner. The stage takes a batch of them, reads the few entries they name, and decides one after
 * another, each seeing what those before it changed:
 *
 *   sale:<sale>          available, reserved, sold                     (stock = their sum, always)
 *   buyer:<sale>:<user>  units held, for the limit; newest purchases
 *   result:<purchase>    how it ended: what every answer comes from
 *
 * Then ONE commit stores the moved offset, the entries, the events and the replies: all of it or nothing, and only
 * while this worker owns the partition. A crash before it leaves the batch to be decided afresh by the next owner,
 * from the same entries; a crash after it loses nothing. A stale owner's commit is refused whole. So each command
 * takes effect exactly once, and nobody is told what is not stored.
 *
 * What it sends, in that same commit:
 *   → the asker's reply partition (the gateway that waits)
 *   → `results`         every ended purchase, once
 *   → `reservations`    reserved, sold, released, pay-refused: what order, payment and SMS follow
 *   → `stock-commands`  each reservation's own `expire`, delayed by the payment timeout
 *
 * `decideStock` in the domain has the rules; it is pure. When it throws for a command, that command goes to the
 * dead letters, a purchase ends as rejected for `poison`, and the partition goes on.
 */
import {
  decideStock,
  groups,
  type Knobs,
  poisonStock,
  type StockCommand,
  stockCommands,
  stockEntriesOf,
} from "@plateau/domain";
import type { GroupMember, Queue } from "queue-core";

export interface StockStageOptions {
  readonly queue: Queue;
  /** Settings; without them every batch is taken as it comes. */
  readonly knobs?: () => Knobs;
  /** Names this member in the group; default: a random id. */
  readonly member?: string;
}

export function startStockStage({ queue, knobs, member }: StockStageOptions): Promise<GroupMember> {
  return queue.process<StockCommand>({
    group: groups.stock,
    topic: stockCommands,
    ...(member === undefined ? {} : { member }),
    ...(knobs === undefined ? {} : { pace: async (batch) => Math.min(batch.length, knobs().batchMax) }),
    keys: stockEntriesOf,
    decide: decideStock,
    poison: (command, _error, state, context) => poisonStock(command, state, context),
  });
}

/**
 * An operator's word that work goes on with the data that Redis still has.
 *
 * What can go wrong: processes that remember the lost commits go on beside those that do not. Promise: the cell gets
 * a new incarnation, so that every engine that was open before stays refused, and whoever opens one with `atLeast`
 * has to forget what it remembered as well.
 */
import { randomBytes } from "node:crypto";
import { QueueError } from "../../errors.ts";
import { CellKeys } from "./cell-keys.ts";
import { clientMaker, describeFault, type RedisAddress } from "./connection.ts";

const accept = `#!lua flags=allow-oom
if redis.call('HEXISTS', KEYS[1], 'incarnation') == 0 then return redis.call('UNLINK', KEYS[1]) end
redis.call('HDEL', KEYS[1], 'lost')
return redis.call('HSET', KEYS[1], 'incarnation', ARGV[1])
`;

/**
 * Takes the data of a cell as they are after DATA_LOST. Before that the audit should say what the loss means. Rejects
 * with UNREACHABLE.
 */
export async function acceptDataLoss(options: {
  readonly address: RedisAddress;
  readonly cell?: string;
}): Promise<void> {
  const { meta } = new CellKeys(options.cell ?? "main");
  const client = clientMaker(options.address, "queue-core accept")();
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.call("EVAL", accept, 1, meta, randomBytes(12).toString("hex"));
  } catch (error) {
    throw new QueueError("UNREACHABLE", `Redis cannot be reached: ${describeFault(error)}`);
  } finally {
    client.disconnect();
  }
}

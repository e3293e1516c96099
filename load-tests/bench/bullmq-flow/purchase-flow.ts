/**
 * What gateway and worker of the BullMQ flow have in common: the job, its answer, and the script that decides.
 *
 * State lies in Redis as such flows keep it: a counter of what is left, and a hash of units by buyer. The script checks
 * the limit, takes the units and notes the buyer in one atomic step.
 */
export const queueName = "purchases";

export interface PurchaseJob {
  readonly saleId: string;
  readonly userId: string;
  readonly quantity: number;
  readonly perUserLimit: number;
}

export type PurchaseOutcome = "won" | "sold-out" | "limit-reached";

export interface FlowConnection {
  readonly host: string;
  readonly port: number;
  readonly maxRetriesPerRequest: null;
}

/** One process's connection; BullMQ wants commands of a worker to be tried for ever. */
export function connectionOf(url: string): FlowConnection {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port), maxRetriesPerRequest: null };
}

/** KEYS: stock, buyers. ARGV: user, quantity, limit. Returns how it ended. */
export const takeStock = `
local bought = tonumber(redis.call('HGET', KEYS[2], ARGV[1])) or 0
if bought + ARGV[2] > tonumber(ARGV[3]) then return 'limit-reached' end
if (tonumber(redis.call('GET', KEYS[1])) or 0) < tonumber(ARGV[2]) then return 'sold-out' end
redis.call('DECRBY', KEYS[1], ARGV[2])
redis.call('HINCRBY', KEYS[2], ARGV[1], ARGV[2])
return 'won'
`;

export const stockKey = (saleId: string): string => `sale:${saleId}:stock`;
export const buyersKey = (saleId: string): string => `sale:${saleId}:buyers`;

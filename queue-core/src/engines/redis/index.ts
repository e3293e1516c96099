export { acceptDataLoss } from "./accept-data-loss.ts";
export { checkRedis } from "./check-redis.ts";
export { describeAddress, type RedisAddress } from "./connection.ts";
export type { DataMark } from "./data-identity.ts";
export { openRedisEngine, type RedisEngineOptions } from "./open-redis-engine.ts";
export { findRedisServer, type PrivateRedis, type PrivateRedisOptions, startPrivateRedis } from "./private-redis.ts";
export type { RedisEngine, RedisStatistics } from "./redis-engine.ts";
export type { RedisRisk } from "./settings.ts";
export type { RedisRetention } from "./upkeep.ts";

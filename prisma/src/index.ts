/** The database: client, migrations, seed and what several apps read of it in the same way. */
export * from "../generated/client.ts";
export { type DataMark, markMemory, noteMark, recallMark, replaceMark } from "./data-mark.ts";
export { type Database, type DatabaseOptions, openDatabase } from "./database.ts";
export { isConnectionLost, isDatabaseError, isRefusedRow, sqlStateOf } from "./database-errors.ts";
export { inTurn } from "./in-turn.ts";
export { migrate } from "./migrate.ts";
export { claimAndSeed, ForeignDatabase, openMigrated, type PreparedDatabase, prepareDatabase } from "./prepare.ts";
export { type SeedResult, seed } from "./seed.ts";
export {
  readStatistics,
  type StatisticsCounts,
  type StatisticsMetric,
  statisticsMetrics,
  statisticsWindowMs,
} from "./statistics.ts";

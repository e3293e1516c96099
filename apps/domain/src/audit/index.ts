export { audit, auditLines } from "./audit.ts";
export type * from "./evidence.ts";
export { HistoryEntry, parseHistory, toldByPurchase } from "./history.ts";
export { smsIdOf } from "./queue-invariants.ts";

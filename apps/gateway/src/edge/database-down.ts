/**
 * Tells a database that is down, full or going away from a slip of ours: the first is worth a retry (503), the second
 * is a 500.
 */
import { isConnectionLost } from "@plateau/prisma";

/** Prisma's codes for: not reachable, timed out, closed the connection, gave no connection in time. */
const connectionCodes = new Set([
  "P1000",
  "P1001",
  "P1002",
  "P1003",
  "P1008",
  "P1011",
  "P1017",
  "P2024",
  "P2028",
  "P2037",
]);
/** SQLSTATE classes: connection, insufficient resources, not in prerequisite state, operator intervention, system. */
const downClasses = new Set(["08", "53", "55", "57", "58"]);

export function isDatabaseDown(error: Error): boolean {
  if (isConnectionLost(error)) return true;
  if (error.name === "PrismaClientInitializationError") return true;
  const { code, meta } = error as Error & { code?: unknown; meta?: unknown };
  if (typeof code !== "string") return false;
  if (connectionCodes.has(code) || code.startsWith("ECONN") || code === "ETIMEDOUT") return true;
  const state = sqlStateOf(meta);
  return state !== undefined && downClasses.has(state.slice(0, 2));
}

/** From the driver's own error, where Prisma wraps one. */
function sqlStateOf(meta: unknown): string | undefined {
  const { driverAdapterError } = (meta ?? {}) as { driverAdapterError?: { cause?: { originalCode?: unknown } } };
  const state = driverAdapterError?.cause?.originalCode;
  return typeof state === "string" ? state : undefined;
}

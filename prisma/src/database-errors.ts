/**
 * Why a statement failed: because of what it said, or because the database could not listen just then.
 *
 * What can go wrong in telling them apart: a refused row taken for a passing fault is tried for ever and blocks what
 * is behind it; a passing fault taken for a refused row throws good work away. Only what PostgreSQL itself calls a
 * data exception (22…) or a constraint violation (23…) counts as refused; all else is worth trying again.
 */

/** PostgreSQL's five-character error code, where the error has one. */
export function sqlStateOf(error: unknown): string | undefined {
  const meta = propertyOf(error, "meta");
  const cause = propertyOf(propertyOf(meta, "driverAdapterError"), "cause");
  const code = propertyOf(cause, "originalCode");
  return typeof code === "string" ? code : undefined;
}

/** True where the row itself was refused, and would be again. */
export const isRefusedRow = (error: unknown): boolean => /^2[23]/.test(sqlStateOf(error) ?? "");

/** What the driver says, without a code, when a connection broke or none came about; Prisma passes it on as it is. */
const wordsOfALostConnection = [
  "Connection terminated",
  "timeout exceeded when trying to connect",
  "Client has encountered a connection error",
];

/** True where a statement's connection went away, and nobody knows what became of the statement. */
export function isConnectionLost(error: unknown): boolean {
  return error instanceof Error && wordsOfALostConnection.some((words) => error.message.startsWith(words));
}

/** True for any error that the database or the way to it raised, as opposed to a fault in our own code. */
export function isDatabaseError(error: unknown): boolean {
  return (
    isConnectionLost(error) ||
    (error instanceof Error && error.name.startsWith("PrismaClient") && error.name !== "PrismaClientValidationError")
  );
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/**
 * What the environment and the command line say, checked. A value that makes no sense is refused by one line that
 * names it; nothing is guessed.
 */
import { resolve } from "node:path";
import { given, type LogLevel, StartProblem, values } from "@plateau/hosting";

export interface Settings {
  readonly host: string;
  /** 0 lets the operating system choose. */
  readonly port: number;
  /** Absolute. */
  readonly dataDir: string;
  /** Made once and kept in the data folder when unset. */
  readonly adminToken: string | undefined;
  /** A PostgreSQL of one's own instead of the embedded one. */
  readonly databaseUrl: string | undefined;
  readonly logLevel: LogLevel;
  /** Addresses and CIDRs whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** TLS ends here or in a trusted proxy. */
  readonly secureCookies: boolean;
  readonly fresh: boolean;
}

/** Throws StartProblem. */
export function readSettings(env: NodeJS.ProcessEnv, args: readonly string[], root: string): Settings {
  const unknown = args.find((arg) => arg !== "--fresh");
  if (unknown !== undefined) throw new StartProblem(`unknown option ${unknown}; there is --fresh`);
  if (args.includes("--fresh") && given(env, "DATABASE_URL") !== undefined) {
    throw new StartProblem("--fresh empties the data folder alone: empty the database of DATABASE_URL yourself first");
  }
  const databaseUrl = given(env, "DATABASE_URL");
  const adminToken = given(env, "ADMIN_TOKEN");
  return {
    host: given(env, "HOST") ?? "127.0.0.1",
    port: values.port(given(env, "PORT") ?? "3000", "PORT"),
    dataDir: resolve(root, given(env, "DATA_DIR") ?? ".data"),
    adminToken: adminToken === undefined ? undefined : values.adminToken(adminToken, "ADMIN_TOKEN"),
    databaseUrl: databaseUrl === undefined ? undefined : values.databaseUrl(databaseUrl, "DATABASE_URL"),
    logLevel: values.logLevel(given(env, "LOG_LEVEL") ?? "info", "LOG_LEVEL"),
    trustedProxies: values.proxies(given(env, "TRUSTED_PROXIES") ?? "", "TRUSTED_PROXIES"),
    secureCookies: values.flag(given(env, "SECURE_COOKIES") ?? "0", "SECURE_COOKIES"),
    fresh: args.includes("--fresh"),
  };
}

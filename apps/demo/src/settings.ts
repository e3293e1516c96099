/**
 * What the environment and the command line say, checked. A value that makes no sense is refused by one line that
 * names it; nothing is guessed.
 */
import { isIP } from "node:net";
import { resolve } from "node:path";
import { StartProblem } from "./start-problem.ts";

export const logLevels = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof logLevels)[number];

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
  return {
    host: given(env, "HOST") ?? "127.0.0.1",
    port: portOf(given(env, "PORT") ?? "3000"),
    dataDir: resolve(root, given(env, "DATA_DIR") ?? ".data"),
    adminToken: tokenOf(given(env, "ADMIN_TOKEN")),
    databaseUrl: databaseUrlOf(given(env, "DATABASE_URL")),
    logLevel: logLevelOf(given(env, "LOG_LEVEL") ?? "info"),
    trustedProxies: trustedProxiesOf(given(env, "TRUSTED_PROXIES") ?? ""),
    secureCookies: secureCookiesOf(given(env, "SECURE_COOKIES") ?? "0"),
    fresh: args.includes("--fresh"),
  };
}

function given(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === "" ? undefined : value;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new StartProblem(`PORT must be a number up to 65535, not "${text}"`);
  return port;
}

function tokenOf(token: string | undefined): string | undefined {
  if (token !== undefined && !/^[\x21-\x7e]{8,200}$/.test(token)) {
    throw new StartProblem("ADMIN_TOKEN must be 8 to 200 printable characters without spaces");
  }
  return token;
}

function databaseUrlOf(url: string | undefined): string | undefined {
  if (url !== undefined && !/^postgres(ql)?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new StartProblem("DATABASE_URL must be a postgresql:// address");
  }
  return url;
}

/** Comma-separated addresses or CIDRs; "" is none. */
export function trustedProxiesOf(text: string): readonly string[] {
  const proxies = text.split(",").map((proxy) => proxy.trim());
  return proxies.filter((proxy) => {
    if (proxy === "") return false;
    const [address = "", bits, ...more] = proxy.split("/");
    const widest = isIP(address) === 6 ? 128 : 32;
    const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= widest);
    if (isIP(address) !== 0 && fits && more.length === 0) return true;
    throw new StartProblem(`TRUSTED_PROXIES must be addresses or CIDRs with commas between, not "${proxy}"`);
  });
}

export function secureCookiesOf(text: string): boolean {
  if (text !== "0" && text !== "1") throw new StartProblem(`SECURE_COOKIES must be 0 or 1, not "${text}"`);
  return text === "1";
}

export function logLevelOf(text: string): LogLevel {
  const level = logLevels.find((candidate) => candidate === text);
  if (level === undefined) throw new StartProblem(`LOG_LEVEL must be one of ${logLevels.join(", ")}, not "${text}"`);
  return level;
}

/** From the text of a variable to its value. Each throws a StartProblem of one line that names the variable. */
import { isIP } from "node:net";
import { StartProblem } from "./start-problem.ts";

export const logLevels = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof logLevels)[number];

export const values = {
  text: (text: string): string => text,

  port(text: string, name: string): number {
    const port = Number(text);
    if (!/^\d+$/.test(text) || port > 65_535) {
      throw new StartProblem(`${name} must be a number up to 65535, not "${text}"`);
    }
    return port;
  },

  count(text: string, name: string): number {
    if (!/^[1-9]\d{0,3}$/.test(text)) throw new StartProblem(`${name} must be a number from 1 to 9999, not "${text}"`);
    return Number(text);
  },

  adminToken(text: string, name: string): string {
    if (/^[\x21-\x7e]{8,200}$/.test(text)) return text;
    throw new StartProblem(`${name} must be 8 to 200 printable characters without spaces`);
  },

  /** Never repeated in a message. */
  secret(text: string, name: string): string {
    if (text.length >= 16) return text;
    throw new StartProblem(`${name} must have at least 16 characters`);
  },

  /** May hold a password: never repeated in a message. */
  databaseUrl(text: string, name: string): string {
    if (/^postgres(ql)?:$/.test(URL.parse(text)?.protocol ?? "")) return text;
    throw new StartProblem(`${name} must be a postgresql:// address`);
  },

  /** May hold a password: never repeated in a message. */
  redisUrl(text: string, name: string): string {
    if (/^rediss?:$/.test(URL.parse(text)?.protocol ?? "")) return text;
    throw new StartProblem(`${name} must be a redis:// or rediss:// address`);
  },

  httpUrl(text: string, name: string): string {
    if (/^https?:$/.test(URL.parse(text)?.protocol ?? "")) return text.replace(/\/$/, "");
    throw new StartProblem(`${name} must be an http:// address, not "${text}"`);
  },

  /** Comma-separated addresses or CIDRs; "" is none. */
  proxies(text: string, name: string): readonly string[] {
    const proxies = text.split(",").map((proxy) => proxy.trim());
    return proxies.filter((proxy) => {
      if (proxy === "") return false;
      const [address = "", bits, ...more] = proxy.split("/");
      const widest = isIP(address) === 6 ? 128 : 32;
      const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= widest);
      if (isIP(address) !== 0 && fits && more.length === 0) return true;
      throw new StartProblem(`${name} must be addresses or CIDRs with commas between, not "${proxy}"`);
    });
  },

  flag(text: string, name: string): boolean {
    if (text !== "0" && text !== "1") throw new StartProblem(`${name} must be 0 or 1, not "${text}"`);
    return text === "1";
  },

  logLevel(text: string, name: string): LogLevel {
    const level = logLevels.find((candidate) => candidate === text);
    if (level === undefined) throw new StartProblem(`${name} must be one of ${logLevels.join(", ")}, not "${text}"`);
    return level;
  },

  jsonObject(text: string, name: string): Readonly<Record<string, unknown>> {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    } catch {
      // Told below, without the text.
    }
    throw new StartProblem(`${name} must be a JSON object`);
  },
} as const;

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ErrorCode, errorCatalogue, QueueError } from "./errors.ts";

const codes = Object.keys(errorCatalogue) as ErrorCode[];

/** What a caller may do, told by data alone. */
const promised: Record<ErrorCode, readonly ["retryable" | "final", "not_stored" | "stored" | "unknown"]> = {
  INVALID_ARGUMENT: ["final", "not_stored"],
  UNKNOWN_TOPIC: ["final", "not_stored"],
  MESSAGE_TOO_LARGE: ["final", "not_stored"],
  OVERLOADED: ["retryable", "not_stored"],
  FENCED: ["final", "not_stored"],
  CONFLICT: ["final", "not_stored"],
  HALF_ROLLED_BACK: ["final", "not_stored"],
  REPLY_TIMEOUT: ["final", "unknown"],
  STORAGE_FULL: ["retryable", "not_stored"],
  STORAGE_FAILED: ["final", "unknown"],
  UNREACHABLE: ["retryable", "not_stored"],
  DATA_LOST: ["final", "not_stored"],
  CORRUPT: ["final", "not_stored"],
  UNKNOWN_FORMAT: ["final", "not_stored"],
  LOCKED: ["final", "not_stored"],
  CLOSED: ["final", "not_stored"],
};

const sources = (readdirSync(import.meta.dirname, { recursive: true }) as string[])
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && file !== "errors.ts")
  .map((file) => readFileSync(join(import.meta.dirname, file), "utf8"))
  .join("\n");

describe.each(codes)("the error %s", (code) => {
  it("says whether to try again and what became of the message, as promised", () => {
    const error = new QueueError(code);
    expect([error.retryable ? "retryable" : "final", error.outcome]).toEqual(promised[code]);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe("QueueError");
    expect(error.message).toMatch(new RegExp(`^${code}: .`));
    expect([error.retryAfterMs, error.cause]).toEqual([undefined, undefined]);
  });

  it("never asks to repeat what may have been stored", () => {
    const { retryable, outcome } = errorCatalogue[code];
    expect(retryable && outcome !== "not_stored").toBe(false);
  });

  it("is thrown somewhere", () => {
    expect(sources).toContain(`"${code}"`);
  });
});

it("an error takes detail, cause, a truer outcome and a time to come again from where it is thrown", () => {
  const cause = new Error("EIO");
  const error = new QueueError("OVERLOADED", "no room", { cause, outcome: "unknown", retryAfterMs: 5 });
  expect(error).toMatchObject({ message: "OVERLOADED: no room", cause, outcome: "unknown", retryAfterMs: 5 });
});

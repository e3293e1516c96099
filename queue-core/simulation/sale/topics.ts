/**
 * What travels in the simulated sale.
 *
 *   requests ──risk──► commands ──stock──► events ──► orders, ledger
 *                         ▲  └── the expiry, delayed, to itself
 *                      payments            notes ──► mail
 *
 * Every value that a client makes carries a `uid`, by which it is known again wherever it turns up; what a stage makes
 * carries its cause instead, so that decisions form a chain without gap or fork.
 */
import { type Codec, defineTopic } from "../../src/topic.ts";

/** The message that a decision is about, and the one decided before it in the same partition. */
export interface Cause {
  readonly partition: number;
  readonly offset: number;
  /** -1 for the first. */
  readonly previous: number;
}

export interface PurchaseRequest {
  readonly uid: string;
  /** Of the purchase; tries of one purchase share it. */
  readonly purchase: string;
  readonly user: string;
  readonly sale: string;
  /** The stage at which `decide` throws for it. */
  readonly poison?: "risk" | "stock";
  readonly broken?: true;
}

export interface Purchase {
  readonly purchase: string;
  readonly user: string;
  readonly sale: string;
}

export type Command = Purchase &
  (
    | { readonly kind: "decide"; readonly verdict: "pass" | "refuse"; readonly cause: Cause; readonly poison?: true }
    | { readonly kind: "expire"; readonly dueMs: number; readonly cause: Cause }
    | { readonly kind: "pay"; readonly uid: string }
  );

export interface Stock {
  /** Grows by one with each change. */
  readonly version: number;
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
}

export type SaleEvent = Purchase & {
  readonly kind: "won" | "refused" | "repeated" | "paid" | "released" | "ignored";
  readonly answer: Answer | undefined;
  readonly cause: Cause;
  readonly stock: Stock;
};

/** What a purchase was told, for good. */
export interface Answer {
  readonly purchase: string;
  readonly decision: "won" | "sold out" | "limit" | "risky" | "poisoned";
  readonly version: number;
}

export interface Note {
  readonly uid: string;
  readonly key: string;
  readonly broken?: true;
}

export const requests = defineTopic<PurchaseRequest>({
  name: "requests",
  partitions: 3,
  keyOf: ({ user }) => user,
  codec: breakableCodec<PurchaseRequest>(),
});
export const commands = defineTopic<Command>({ name: "commands", partitions: 2, keyOf: ({ sale }) => sale });
export const events = defineTopic<SaleEvent>({ name: "events", partitions: 2, keyOf: ({ sale }) => sale });
export const notes = defineTopic<Note>({
  name: "notes",
  partitions: 3,
  keyOf: ({ key }) => key,
  codec: breakableCodec<Note>(),
});

export const topics = [requests, commands, events, notes] as const;
export type AnyTopic = (typeof topics)[number];

/** How many pieces a sale has: the number at the end of its name. */
export function piecesOf(sale: string): number {
  return Number(sale.slice(sale.lastIndexOf("-") + 1));
}

/** Some messages can be stored and not be read, as those of another version. */
function breakableCodec<T extends { readonly broken?: true }>(): Codec<T> {
  return {
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode(bytes) {
      const value = JSON.parse(bytes.toString("utf8")) as T;
      if (value.broken === true) throw new Error("this value cannot be decoded");
      return value;
    },
  };
}

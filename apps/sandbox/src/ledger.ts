/**
 * What the providers remember: answers by idempotency key, authorisations, messages.
 *
 * What can go wrong: the process is killed after the work and before the answer arrives, and the customer asks
 * again. Work and answer are therefore one SQLite transaction, so that asking again with the same key finds the
 * first answer. The write-ahead log survives `kill -9`; a power cut may lose the last moments (`synchronous =
 * NORMAL`), which a stand-in for the outside world may.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { conflict, keyReused } from "./problem.ts";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export type AuthorisationStatus = "authorised" | "captured" | "voided";

export interface Authorisation {
  readonly id: string;
  readonly reference: string;
  readonly amountCents: number;
  readonly status: AuthorisationStatus;
  readonly createdAtMs: number;
  readonly settledAtMs: number | null;
}

export interface SentMessage {
  readonly id: string;
  /** The idempotency key it was sent with. */
  readonly key: string;
  readonly to: string;
  readonly text: string;
  readonly sentAtMs: number;
}

export interface Page {
  /** Begins after the row of this sequence number; 0 from the start. */
  readonly after: number;
  readonly limit: number;
}

export interface Ledger {
  /**
   * Runs `work` once per service and key and stores its answer with its effects; later calls get that answer.
   * Throws the problem `key-reused` where the key came with another fingerprint before.
   */
  once(service: string, key: string, fingerprint: string, work: () => Answer): Answer;
  insertAuthorisation(authorisation: Omit<Authorisation, "status" | "settledAtMs">): void;
  /** Repeating it changes nothing; undefined for an unknown id. Throws `conflict` where it was settled the other way. */
  settle(id: string, to: "captured" | "voided", atMs: number): Authorisation | undefined;
  authorisation(id: string): Authorisation | undefined;
  /** Those whose reference is, or begins with, this text; oldest first. */
  authorisations(
    where: { reference?: string | undefined; prefix?: string | undefined },
    page: Page,
  ): Listing<Authorisation>;
  insertMessage(message: SentMessage): void;
  /** Those whose key begins with this text; oldest first. */
  messages(prefix: string, page: Page): Listing<SentMessage>;
  close(): void;
}

export interface Listing<T> {
  readonly rows: readonly T[];
  /** To be given as `after` for what follows; null at the end. */
  readonly next: number | null;
}

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA busy_timeout = 2000;
  CREATE TABLE IF NOT EXISTS answers (
    service TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (service, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS authorisations (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, reference TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents >= 0),
    status TEXT NOT NULL DEFAULT 'authorised' CHECK (status IN ('authorised', 'captured', 'voided')),
    created_at_ms INTEGER NOT NULL, settled_at_ms INTEGER
  ) STRICT;
  CREATE INDEX IF NOT EXISTS authorisations_by_reference ON authorisations (reference, sequence);
  CREATE TABLE IF NOT EXISTS messages (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE,
    recipient TEXT NOT NULL, text TEXT NOT NULL, sent_at_ms INTEGER NOT NULL
  ) STRICT;
`;

const authorisationColumns = `sequence, id, reference, amount_cents AS amountCents, status,
  created_at_ms AS createdAtMs, settled_at_ms AS settledAtMs`;
const messageColumns = 'sequence, id, key, recipient AS "to", text, sent_at_ms AS sentAtMs';

/** Opens or makes `sandbox.sqlite` in the folder. */
export function openLedger(folder: string): Ledger {
  mkdirSync(folder, { recursive: true });
  const { DatabaseSync } = sqliteWithoutWarning();
  const db = new DatabaseSync(join(folder, "sandbox.sqlite"));
  db.exec(schema);
  return { ...answersOf(db), ...paymentsOf(db), ...messagesOf(db), close: () => db.close() };
}

function answersOf(db: DatabaseSync): Pick<Ledger, "once"> {
  const find = db.prepare("SELECT fingerprint, status, body FROM answers WHERE service = ? AND key = ?");
  const insert = db.prepare("INSERT INTO answers (service, key, fingerprint, status, body) VALUES (?, ?, ?, ?, ?)");
  return {
    once(service, key, fingerprint, work) {
      const known = find.get(service, key) as { fingerprint: string; status: number; body: string } | undefined;
      if (known !== undefined) {
        if (known.fingerprint !== fingerprint) throw keyReused();
        return { status: known.status, body: JSON.parse(known.body) };
      }
      db.exec("BEGIN IMMEDIATE");
      try {
        const answer = work();
        insert.run(service, key, fingerprint, answer.status, JSON.stringify(answer.body));
        db.exec("COMMIT");
        return answer;
      } catch (error) {
        db.exec("ROLLBACK");
        throw error;
      }
    },
  };
}

function paymentsOf(
  db: DatabaseSync,
): Pick<Ledger, "insertAuthorisation" | "settle" | "authorisation" | "authorisations"> {
  const insert = db.prepare(
    "INSERT INTO authorisations (id, reference, amount_cents, created_at_ms) VALUES (?, ?, ?, ?)",
  );
  const find = db.prepare(`SELECT ${authorisationColumns} FROM authorisations WHERE id = ?`);
  const settle = db.prepare(
    "UPDATE authorisations SET status = ?, settled_at_ms = ? WHERE id = ? AND status = 'authorised'",
  );
  const byReference = db.prepare(
    `SELECT ${authorisationColumns} FROM authorisations WHERE reference = ? AND sequence > ? ORDER BY sequence LIMIT ?`,
  );
  const byPrefix = db.prepare(
    `SELECT ${authorisationColumns} FROM authorisations
     WHERE substr(reference, 1, length(?1)) = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3`,
  );
  const authorisation = (id: string): Authorisation | undefined => {
    const row = find.get(id) as (Authorisation & { sequence: number }) | undefined;
    return row && withoutSequence(row);
  };
  return {
    insertAuthorisation: ({ id, reference, amountCents, createdAtMs }) => {
      insert.run(id, reference, amountCents, createdAtMs);
    },
    settle(id, to, atMs) {
      settle.run(to, atMs, id);
      const now = authorisation(id);
      if (now !== undefined && now.status !== to) throw conflict(`the authorisation is ${now.status}`);
      return now;
    },
    authorisation,
    authorisations({ reference, prefix }, { after, limit }) {
      const rows =
        reference === undefined ? byPrefix.all(prefix ?? "", after, limit) : byReference.all(reference, after, limit);
      return listing(rows as unknown as (Authorisation & { sequence: number })[], limit);
    },
  };
}

function messagesOf(db: DatabaseSync): Pick<Ledger, "insertMessage" | "messages"> {
  const insert = db.prepare("INSERT INTO messages (id, key, recipient, text, sent_at_ms) VALUES (?, ?, ?, ?, ?)");
  const byPrefix = db.prepare(
    `SELECT ${messageColumns} FROM messages
     WHERE substr(key, 1, length(?1)) = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3`,
  );
  return {
    insertMessage: ({ id, key, to, text, sentAtMs }) => {
      insert.run(id, key, to, text, sentAtMs);
    },
    messages: (prefix, { after, limit }) =>
      listing(byPrefix.all(prefix, after, limit) as unknown as (SentMessage & { sequence: number })[], limit),
  };
}

function listing<T extends { sequence: number }>(rows: readonly T[], limit: number): Listing<Omit<T, "sequence">> {
  const last = rows.at(-1);
  return { rows: rows.map(withoutSequence), next: rows.length === limit && last ? last.sequence : null };
}

const withoutSequence = <T extends { sequence: number }>({ sequence: _, ...row }: T): Omit<T, "sequence"> => row;

/** Node's SQLite warns on first use that it is experimental; that one warning says nothing to a reader of the log. */
function sqliteWithoutWarning(): typeof import("node:sqlite") {
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).includes("SQLite")) Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  try {
    return process.getBuiltinModule("node:sqlite");
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** For tests: runs appending-child.ts and gathers what it says was acknowledged. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const childPath = fileURLToPath(new URL("./appending-child.ts", import.meta.url));

export interface Told {
  readonly kind: "stored" | "sent";
  /** Of the commit; undefined for orders, which do not tell. */
  readonly sequence: number | undefined;
  readonly partition: number;
  readonly offset: number;
  /** round.writer.number */
  readonly text: string;
}

export interface Moved {
  readonly partition: number;
  readonly to: number;
}

/** What a child said, in its order. */
export interface Account {
  readonly told: Told[];
  readonly moved: Moved[];
  /** Codes and outcomes. */
  readonly refused: string[];
  /** Said nothing more that was acknowledged after this many of `told`; undefined while nothing failed. */
  toldBeforeFailure: number | undefined;
  snapshots: number;
  lines: number;
}

export interface ChildOptions {
  readonly directory: string;
  readonly round: number;
  readonly writers: number;
  /** So many, or a few more; default: more than a test waits for. */
  readonly messages?: number;
  readonly parts?: readonly ("acknowledge" | "decide" | "upkeep")[];
  /** Folder of compiled modules; filled by a child that ends by itself. */
  readonly compiled?: string;
  /** A program and its arguments that run the child. */
  readonly under?: readonly string[];
}

export function startChild(options: ChildOptions): ChildProcess {
  const { directory, round, writers, messages = 1_000_000, parts = [], compiled, under = [] } = options;
  const args = [childPath, directory, ...[round, writers, messages].map(String), ...parts];
  const [program = "", ...rest] = [...under, process.execPath, ...args];
  const env = compiled === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: compiled };
  return spawn(program, rest, { env, stdio: ["ignore", "pipe", "inherit"] });
}

/** Resolves when the child is gone; `onLine` may end it. */
export async function hear(
  child: ChildProcess,
  onLine: (account: Account) => void = () => {},
): Promise<Account & { readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
  const account: Account = { told: [], moved: [], refused: [], toldBeforeFailure: undefined, snapshots: 0, lines: 0 };
  const gone = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    note(account, line);
    account.lines++;
    onLine(account);
  }
  const [code, signal] = await gone;
  return { ...account, code, signal };
}

/** Lines are whole: a pipe takes one as short as these in one piece, or nothing of it. */
function note(account: Account, line: string): void {
  const [kind, ...fields] = line.split(" ");
  if (kind === "stored") {
    const [sequence, partition, offset] = fields.map(Number) as [number, number, number];
    account.told.push({ kind, sequence, partition, offset, text: fields[3] ?? "" });
  } else if (kind === "sent") {
    const [partition, offset] = fields.map(Number) as [number, number];
    account.told.push({ kind, sequence: undefined, partition, offset, text: fields[2] ?? "" });
  } else if (kind === "moved") {
    const [partition, to] = fields.map(Number) as [number, number];
    account.moved.push({ partition, to });
  } else if (kind === "refused") {
    account.refused.push(fields.join(" "));
  } else if (kind === "snapshot") {
    account.snapshots++;
  } else if (kind === "failed") {
    account.toldBeforeFailure = account.told.length;
  } else {
    throw new Error(`the child said: ${line}`);
  }
}

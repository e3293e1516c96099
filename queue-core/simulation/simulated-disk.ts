/**
 * A disk that forgets as real ones do. Its fault model:
 *
 * - A write goes to the page cache. The platter gets it by a sync, or, sector by sector (512 bytes) in any order, at
 *   any time before: at power loss a random subset of the unsynced sectors of each file is there, so that a write is
 *   torn and later ones overtake earlier ones. A sector itself is never torn.
 * - The size of a file is as unsafe as its content: unsynced growth is there, or not, or in part; unsynced cutting is
 *   there or not. What lies inside the size and never reached the platter reads as zeros.
 * - `datasync` makes a file's content and size durable, never its name. `syncDirectory` makes the names in it durable:
 *   each unsynced create, rename and remove is otherwise kept or lost by itself. A rename is kept or lost whole.
 * - A process crash loses nothing that was written: the next process finds the page cache.
 * - A failed write may have written a prefix. A failed sync has written some sectors and forgets the others: they read
 *   as written until the power goes (https://wiki.postgresql.org/wiki/Fsync_Errors). A failed directory sync leaves
 *   each name to chance.
 * - A full disk takes the prefix of a write that fits, makes no new file, and takes every overwrite.
 * - Not modelled: bytes that change by themselves (recovery.test.ts flips them), a sync that lies.
 */
import type { Random } from "./random.ts";
import { type PowerLoss, SimulatedFile, type WriteBack } from "./simulated-file.ts";

type Node = SimulatedFile | Directory;

type NameChange =
  | { readonly kind: "link"; readonly name: string; readonly node: Node }
  | { readonly kind: "unlink"; readonly name: string }
  | { readonly kind: "rename"; readonly from: string; readonly to: string; readonly node: Node };

class Directory {
  entries = new Map<string, Node>();
  durable = new Map<string, Node>();
  unsynced: NameChange[] = [];
  /** What is durable is not just what `entries` was before the unsynced changes. */
  #isPartlySynced = false;

  change(change: NameChange): void {
    this.unsynced.push(change);
    applyChange(this.entries, change);
  }

  sync(): void {
    if (this.#isPartlySynced) this.durable = new Map(this.entries);
    else for (const change of this.unsynced) applyChange(this.durable, change);
    this.#isPartlySynced = false;
    this.unsynced = [];
  }

  /** What did not reach the platter can still do so later. */
  syncSome({ random, survival }: PowerLoss): void {
    for (const change of this.unsynced) if (random.chance(survival)) applyChange(this.durable, change);
    this.#isPartlySynced = true;
  }

  losePower(loss: PowerLoss): void {
    this.syncSome(loss);
    this.entries = new Map(this.durable);
    this.unsynced = [];
    this.#isPartlySynced = false;
  }
}

function applyChange(entries: Map<string, Node>, change: NameChange): void {
  if (change.kind === "link") {
    entries.set(change.name, change.node);
  } else if (change.kind === "unlink") {
    entries.delete(change.name);
  } else {
    if (entries.get(change.from) === change.node) entries.delete(change.from);
    entries.set(change.to, change.node);
  }
}

/** As node:fs would throw it. */
export function diskError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}

/** What all processes on this machine see; disk-session.ts is how one of them reaches it. */
export class SimulatedDisk {
  readonly random: Random;
  /** Bytes that files may take; infinite unless a test or a fault sets it. */
  capacityBytes = Number.POSITIVE_INFINITY;
  /** How eagerly the system writes back by itself, 0 to 1. */
  writeBackChance = 0.15;
  readonly #root = new Directory();
  /** Paths come again and again: splitting them anew took 2 % of a run's time. */
  readonly #parts = new Map<string, readonly string[]>();

  constructor(random: Random) {
    this.random = random;
  }

  get writeBack(): WriteBack {
    return { random: this.random, chance: this.writeBackChance };
  }

  get usedBytes(): number {
    return usedBytes(this.#root);
  }

  list(directory: string): string[] {
    return [...this.#directory(directory).entries.keys()].sort();
  }

  makeDirectory(directory: string): void {
    let parent = this.#root;
    for (const name of this.#partsOf(directory)) {
      let node = parent.entries.get(name);
      if (node === undefined) {
        node = new Directory();
        parent.change({ kind: "link", name, node });
      }
      if (!(node instanceof Directory)) throw diskError("EEXIST", directory);
      parent = node;
    }
  }

  create(path: string): SimulatedFile {
    const parent = this.#folderOf(path);
    const name = this.#nameOf(path);
    if (parent.entries.has(name)) throw diskError("EEXIST", path);
    if (this.freeBytes === 0) throw diskError("ENOSPC", path);
    const node = new SimulatedFile();
    parent.change({ kind: "link", name, node });
    return node;
  }

  file(path: string): SimulatedFile {
    const found = this.find(path);
    if (found === undefined) throw diskError("ENOENT", path);
    return found;
  }

  find(path: string): SimulatedFile | undefined {
    const node = this.#folderOf(path).entries.get(this.#nameOf(path));
    return node instanceof SimulatedFile ? node : undefined;
  }

  rename(from: string, to: string): void {
    const folder = this.#folderOf(from);
    if (folder !== this.#folderOf(to)) throw diskError("EXDEV", `${from} to ${to}`);
    folder.change({ kind: "rename", from: this.#nameOf(from), to: this.#nameOf(to), node: this.file(from) });
  }

  remove(path: string): void {
    this.file(path);
    this.#folderOf(path).change({ kind: "unlink", name: this.#nameOf(path) });
  }

  syncDirectory(path: string): void {
    this.#directory(path).sync();
  }

  /** A directory sync that was cut short or failed. */
  syncDirectorySome(path: string, loss: PowerLoss): void {
    this.#directory(path).syncSome(loss);
  }

  /** How many bytes a write may still add to the files. */
  get freeBytes(): number {
    if (this.capacityBytes === Number.POSITIVE_INFINITY) return this.capacityBytes;
    return Math.max(0, this.capacityBytes - this.usedBytes);
  }

  /** Bytes that the files in a directory take whose names end like this. */
  bytesOf(directory: string, suffix: string): number {
    let sum = 0;
    for (const [name, node] of this.#directory(directory).entries) {
      if (node instanceof SimulatedFile && name.endsWith(suffix)) sum += node.allocatedBytes;
    }
    return sum;
  }

  losePower(loss: PowerLoss): void {
    losePowerBelow(this.#root, loss);
    // A file whose removal was lost is back with its room: nobody else can have taken that.
    this.capacityBytes = Math.max(this.capacityBytes, this.usedBytes);
  }

  #directory(path: string): Directory {
    return this.#walk(path, this.#partsOf(path).length);
  }

  #folderOf(path: string): Directory {
    return this.#walk(path, this.#partsOf(path).length - 1);
  }

  #walk(path: string, depth: number): Directory {
    const parts = this.#partsOf(path);
    let found: Node | undefined = this.#root;
    for (let index = 0; index < depth; index++) {
      found = found instanceof Directory ? found.entries.get(parts[index] as string) : undefined;
    }
    if (!(found instanceof Directory)) throw diskError("ENOENT", path);
    return found;
  }

  #nameOf(path: string): string {
    return this.#partsOf(path).at(-1) ?? "";
  }

  /** The engine joins paths as the platform does, so that both slashes may come. */
  #partsOf(path: string): readonly string[] {
    let parts = this.#parts.get(path);
    if (parts === undefined) {
      parts = path.split(/[\\/]/).filter((part) => part !== "");
      this.#parts.set(path, parts);
    }
    return parts;
  }
}

function usedBytes(directory: Directory): number {
  let sum = 0;
  for (const node of directory.entries.values()) {
    sum += node instanceof Directory ? usedBytes(node) : node.allocatedBytes;
  }
  return sum;
}

function losePowerBelow(directory: Directory, loss: PowerLoss): void {
  directory.losePower(loss);
  for (const node of directory.entries.values()) {
    if (node instanceof Directory) losePowerBelow(node, loss);
    else node.losePower(loss);
  }
}

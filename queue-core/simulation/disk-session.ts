/**
 * One process's way to the simulated disk: the `Disk` that a log engine is opened with. Faults strike here.
 *
 *     alive ──crash at an operation, or from outside──► dead     every call throws, nothing reaches the disk any more
 *
 * What can go wrong: a dead process that still writes would make the disk look better or worse than it is. Promises:
 * an operation at which the process dies is done in part, by chance; none is done after it.
 */
import type { Disk, DiskFile, SyncReason } from "../src/engines/log/writing/disk.ts";
import { diskError, type SimulatedDisk } from "./simulated-disk.ts";
import { type PowerLoss, type SimulatedFile, sectorBytes } from "./simulated-file.ts";
import type { World } from "./world.ts";

export type DiskStep =
  | "read"
  | "create"
  | "write"
  | "datasync"
  | "truncate"
  | "rename"
  | "remove"
  | "syncDirectory"
  | "makeDirectory";

export type DiskFault = "none" | "EIO" | "ENOSPC" | "crash";

export interface StepAsked {
  readonly step: DiskStep;
  readonly path: string;
  readonly reason?: SyncReason;
}

export interface SessionSettings {
  readonly disk: SimulatedDisk;
  readonly world: World;
  /** Asked before each step. `crash`: the process dies in the middle of it. */
  faultOf(asked: StepAsked): DiskFault;
  /** Called at once when the process dies at a step. */
  onCrash(asked: StepAsked): void;
  /** Called when a write finds no room for all of it. */
  onFull?(path: string): void;
}

/** Thrown to a process that is dead: nobody is there to hear it. */
export class ProcessDied extends Error {
  override readonly name = "ProcessDied";
}

export class DiskSession implements Disk {
  readonly #settings: SessionSettings;
  #isAlive = true;

  constructor(settings: SessionSettings) {
    this.#settings = settings;
  }

  end(): void {
    this.#isAlive = false;
  }

  makeDirectory(directory: string): void {
    this.#step({ step: "makeDirectory", path: directory }, () => this.#settings.disk.makeDirectory(directory));
  }

  list(directory: string): string[] {
    this.#assertAlive();
    return this.#settings.disk.list(directory);
  }

  open(path: string, mode: "create" | "existing"): DiskFile {
    const { disk } = this.#settings;
    if (mode === "existing") {
      this.#assertAlive();
      return this.#opened(path, disk.file(path));
    }
    let file: SimulatedFile | undefined;
    this.#step({ step: "create", path }, () => {
      file = disk.create(path);
    });
    return this.#opened(path, file as SimulatedFile);
  }

  rename(from: string, to: string): void {
    this.#step({ step: "rename", path: to }, () => this.#settings.disk.rename(from, to));
  }

  remove(path: string): void {
    this.#step({ step: "remove", path }, () => this.#settings.disk.remove(path));
  }

  syncDirectory(directory: string, reason: SyncReason): void {
    const { disk } = this.#settings;
    this.#step(
      { step: "syncDirectory", path: directory, reason },
      () => disk.syncDirectory(directory),
      (loss) => disk.syncDirectorySome(directory, loss),
    );
  }

  #opened(path: string, file: SimulatedFile): DiskFile {
    let isOpen = true;
    const assertOpen = () => {
      if (!isOpen) throw diskError("EBADF", path);
    };
    return {
      size: () => {
        this.#assertAlive();
        assertOpen();
        return file.size;
      },
      read: (into, position) => {
        assertOpen();
        return this.#read(path, file, into, position);
      },
      write: (bytes, position) => {
        assertOpen();
        this.#write(path, file, bytes, position);
      },
      datasync: (reason) => {
        assertOpen();
        this.#datasync(path, file, reason);
      },
      truncate: (size) => {
        assertOpen();
        this.#step({ step: "truncate", path }, () => file.truncate(size, this.#settings.disk.writeBack));
      },
      close: () => {
        isOpen = false;
      },
    };
  }

  #read(path: string, file: SimulatedFile, into: Buffer, position: number): Promise<number> {
    const { world, disk } = this.#settings;
    return new Promise((resolve, reject) => {
      const finish = () => {
        if (!this.#isAlive) return;
        try {
          let length = 0;
          this.#step({ step: "read", path }, () => {
            length = file.read(into, position);
          });
          resolve(length);
        } catch (error) {
          reject(error);
        }
      };
      // Most reads hit the page cache; others take a while, in which the world goes on.
      if (disk.random.chance(0.8)) finish();
      else world.after(disk.random.between(0.05, 5), "disk read", finish);
    });
  }

  #write(path: string, file: SimulatedFile, bytes: Uint8Array, position: number): void {
    const { disk, onFull } = this.#settings;
    const { random } = disk;
    const part = () => file.write(bytes.subarray(0, random.below(bytes.length + 1)), position, disk.writeBack);
    this.#step(
      { step: "write", path },
      () => {
        const freeBytes = disk.freeBytes;
        let fits = bytes.length;
        while (file.growthOf(position, fits) > freeBytes) fits = lastSectorBefore(position + fits) - position;
        file.write(bytes.subarray(0, Math.max(0, fits)), position, disk.writeBack);
        if (fits === bytes.length) return;
        onFull?.(path);
        throw diskError("ENOSPC", `write ${path}`);
      },
      part,
    );
  }

  #datasync(path: string, file: SimulatedFile, reason: SyncReason): void {
    this.#step(
      { step: "datasync", path, reason },
      () => file.flush(),
      (loss, fault) => (fault === "crash" ? file.flushSome(loss) : file.flushFailed(loss)),
    );
  }

  /** `inPart` is what happens of a step that fails or at which the process dies; by default all of it or nothing. */
  #step(asked: StepAsked, whole: () => void, inPart?: (loss: PowerLoss, fault: DiskFault) => void): void {
    const { disk, world, faultOf, onCrash } = this.#settings;
    this.#assertAlive();
    const fault = faultOf(asked);
    const { step, path, reason } = asked;
    if (step !== "read") world.note("disk", `${step} ${path}${reason === undefined ? "" : `, ${reason}`} ${fault}`);
    if (fault === "none") {
      whole();
      return;
    }
    const loss: PowerLoss = { random: disk.random, survival: disk.random.next() };
    if (inPart !== undefined) inPart(loss, fault);
    else if (fault === "crash" && disk.random.chance(0.5)) whole();
    if (fault !== "crash") throw diskError(fault, `${step} ${path}`);
    this.#isAlive = false;
    onCrash(asked);
    throw new ProcessDied(`at ${step} ${path}`);
  }

  #assertAlive(): void {
    if (!this.#isAlive) throw new ProcessDied("before");
  }
}

function lastSectorBefore(end: number): number {
  return Math.floor((end - 1) / sectorBytes) * sectorBytes;
}

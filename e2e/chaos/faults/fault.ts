/** What a fault is to the run: it strikes, it is healed, and it tells what it hit. */
import type { System, SystemProcess } from "@plateau/demo";
import type { Moment } from "../schedule.ts";
import type { TcpProxy } from "../tcp-proxy.ts";

/** Where faults take place. */
export interface Ground {
  readonly system: Pick<System, "url" | "adminToken" | "databaseUrl" | "sandboxUrl" | "dataDir" | "stop"> & {
    readonly processes: readonly SystemProcess[];
  };
  /** Between the system and what it works on, by the name of that: `database`, `sandbox`, `redis`. */
  readonly proxies: ReadonlyMap<string, TcpProxy>;
  /** The durable store's folder: a small file system of its own where this machine allows it. */
  readonly smallDisk: string | undefined;
  /** File with the milliseconds that the system's wall clock is off by. */
  readonly clockFile: string;
  readonly signal: AbortSignal;
}

export interface Struck {
  /** Resolves when the fault is over and what it hit runs again. */
  heal(): Promise<void>;
  /** What shows that it took place, as a sentence's end; undefined where nothing does. */
  evidence(): string | undefined;
}

export interface Fault {
  /** E.g. `kill backend`. */
  readonly name: string;
  /** How long it lasts. */
  readonly lengthMs: number;
  /** Why it cannot be tried on this machine; undefined where it can. */
  readonly impossible: string | undefined;
  /** A moment at which it would hit nothing. */
  readonly notAt?: Moment;
  strike(ground: Ground): Promise<Struck>;
}

/**
 * What a system on one machine works on, and what its processes have in common: PostgreSQL, Redis, the outside world
 * (sandbox) and the pages, each a child process, the data folder they lie in, and where their output goes.
 *
 * Promises: a child that ended by itself is started again where its clients look for it; `stop` ends all of them, and
 * then lets the folder go; nothing more is started once a stop began.
 */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLog, type LogLevel, StartProblem } from "@plateau/hosting";
import type { Logger } from "pino";
import { Child, type ChildOptions, type SomeChild } from "./child-process.ts";
import { claimDataFolder, type DataFolder } from "./data-folder.ts";
import { FourWaysDesk } from "./four-ways-desk.ts";
import { claimPort } from "./ports.ts";
import type { PostgresReady } from "./postgres-host.ts";
import type { RedisReady } from "./redis-host.ts";
import type { SandboxReady } from "./sandbox-host.ts";
import { prepareStorefront } from "./storefront-build.ts";

export interface SurroundingsOptions {
  /** Default: the embedded PostgreSQL. */
  readonly databaseUrl?: string | undefined;
  readonly logLevel?: LogLevel;
  /** Where the children's output goes; default: this process's own. Appended to. */
  readonly logFile?: string;
  /** Whether a child that ended by itself is started again; default true. Killed ones never are. */
  readonly restart?: boolean;
  /** How often in a minute a child may end by itself before it counts as broken; default 5. */
  readonly restartsPerMinute?: number;
}

export interface ChildPlan<R> {
  readonly name: string;
  /** Relative to this folder; default `./<name>-host.ts`. */
  readonly module?: string;
  readonly env: ChildOptions<R>["env"];
  readonly onReady?: (ready: R) => void;
  readonly onEnded?: () => void;
}

const stopWithinMs = 1_200;
const root = fileURLToPath(new URL("../../..", import.meta.url));

export class Surroundings {
  readonly log: Logger;
  readonly #folder: DataFolder;
  readonly #options: SurroundingsOptions;
  readonly #output: number | "inherit";
  readonly #broken = Promise.withResolvers<string>();
  readonly #abort = new AbortController();
  readonly #children: SomeChild[] = [];
  #fourWays: FourWaysDesk | undefined;
  #fourWaysStopped: Promise<void> | undefined;

  constructor(folder: DataFolder, options: SurroundingsOptions) {
    this.#folder = folder;
    this.#options = options;
    this.log = createLog("demo", options.logFile === undefined ? (options.logLevel ?? "info") : "silent");
    this.#output = options.logFile === undefined ? "inherit" : openSync(options.logFile, "a");
  }

  /** Resolves with the reason when a child is broken for good. */
  get broken(): Promise<string> {
    return this.#broken.promise;
  }

  get children(): readonly SomeChild[] {
    return this.#children;
  }

  throwIfStopped(): void {
    if (this.#abort.signal.aborted) throw new StartProblem("stopped while it started");
  }

  /** From now on nothing is started any more; an experiment that runs begins to end. */
  beginStop(): void {
    this.#abort.abort();
    this.#fourWaysStopped ??= this.#fourWays?.stop();
  }

  /** Call it once everything that works on these has stopped. */
  async stop(): Promise<void> {
    this.beginStop();
    await this.#fourWaysStopped;
    await Promise.all(this.#children.map((child) => child.stop(stopWithinMs)));
    this.#folder.release();
    if (this.#output !== "inherit") closeSync(this.#output);
  }

  /** A child that is not of the surroundings: whoever asked for it stops it. */
  child<R>({ name, module, env, onReady, onEnded }: ChildPlan<R>): Child<R> {
    this.throwIfStopped();
    return new Child<R>({
      name,
      module: module ?? `./${name}-host.ts`,
      env: () => ({ LOG_LEVEL: this.#options.logLevel ?? "info", ...env() }),
      output: this.#output,
      // Next greets on standard output.
      quiet: name === "storefront",
      log: this.log,
      restart: this.#options.restart ?? true,
      restartsPerMinute: this.#options.restartsPerMinute ?? 5,
      onStarted: (pid) => this.#folder.enter(pid),
      onReady: (ready) => onReady?.(ready),
      onEnded: (pid) => {
        this.#folder.strike(pid);
        onEnded?.();
      },
      onBroken: (problem) => this.#broken.resolve(problem),
    });
  }

  /** Resolves with the connection string. */
  async startPostgres(): Promise<string> {
    if (this.#options.databaseUrl !== undefined) return this.#options.databaseUrl;
    const { postgres: folder, secrets } = this.#folder;
    const ready: { address?: string } = {};
    const child = this.#surrounding<PostgresReady>("postgres", () => ({
      POSTGRES_FOLDER: folder,
      POSTGRES_PASSWORD: secrets.database,
      // Started again, it must be where its clients look for it.
      POSTGRES_PORT: ready.address === undefined ? undefined : new URL(ready.address).port,
    }));
    ready.address = (await child.start()).address;
    return `${ready.address}/postgres`;
  }

  async startSandbox(): Promise<string> {
    const ready: { url?: string } = {};
    const child = this.#surrounding<SandboxReady>("sandbox", () => ({
      SANDBOX_FOLDER: this.#folder.sandbox,
      SANDBOX_PORT: ready.url === undefined ? "0" : new URL(ready.url).port,
    }));
    ready.url = (await child.start()).url;
    return ready.url;
  }

  /** A Redis of our own that syncs each answer. */
  async startRedis(): Promise<string> {
    const ready: { url?: string } = {};
    const child = this.#surrounding<RedisReady>("redis", () => ({
      REDIS_FOLDER: join(this.#folder.path, "redis"),
      REDIS_PORT: ready.url === undefined ? undefined : new URL(ready.url).port,
    }));
    ready.url = (await child.start()).url;
    return ready.url;
  }

  async startStorefront(backendUrl: string): Promise<string> {
    const server = await prepareStorefront(root, {
      onBuild: () => this.log.info("building the storefront (its sources changed)…"),
      signal: this.#abort.signal,
    });
    const port = await claimPort("127.0.0.1", 0);
    const child = this.#surrounding<unknown>("storefront", () => ({
      STOREFRONT_SERVER: server,
      BACKEND_URL: backendUrl,
      HOSTNAME: "127.0.0.1",
      PORT: String(port),
      NODE_ENV: "production",
      NEXT_TELEMETRY_DISABLED: "1",
    }));
    await child.start();
    return `http://127.0.0.1:${port}`;
  }

  /** Resolves with where gateways ask for the experiment; it works on the same database, in a schema of its own. */
  async openFourWays(databaseUrl: string): Promise<string> {
    const folder = join(this.#folder.path, "four-ways");
    this.#fourWays = await FourWaysDesk.open({ databaseUrl, folder, log: this.log, output: this.#output });
    return this.#fourWays.url;
  }

  #surrounding<R>(name: string, env: ChildOptions<R>["env"]): Child<R> {
    const child = this.child<R>({ name, env });
    this.#children.push(child);
    return child;
  }
}

/**
 * Starts what works on a data folder: everything runs, or nothing is left running or locked. Aborting the signal while
 * the start is under way stops what was started; the start then rejects.
 */
export async function startOnFolder<T>(
  options: { readonly dataDir: string; readonly fresh?: boolean; readonly signal?: AbortSignal },
  partsOn: (folder: DataFolder) => { start(): Promise<T>; stop(): Promise<void> },
): Promise<T> {
  const parts = partsOn(await claimDataFolder(options.dataDir, { fresh: options.fresh ?? false }));
  const stop = (): void => void parts.stop();
  options.signal?.addEventListener("abort", stop, { once: true });
  try {
    return await parts.start();
  } catch (error) {
    await parts.stop();
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", stop);
  }
}

/** An address that clients can use: a wildcard is none. */
export function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

/** `ready` means that somebody who opens the URL sees the shop. */
export async function mustServePages(url: string): Promise<void> {
  const answer = await fetch(url, { headers: { accept: "text/html" }, signal: AbortSignal.timeout(20_000) });
  const page = await answer.text();
  if (!answer.ok || !page.includes("</html>")) {
    throw new StartProblem(`the shop's first page was answered with status ${answer.status}`);
  }
}

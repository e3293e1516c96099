/**
 * The whole system on one machine: PostgreSQL, the outside world (sandbox), the back end and the storefront, each a
 * child process, started as far as possible at once and stopped in order.
 *
 * Promises: `startSystem` either resolves with everything running, or rejects with nothing left running or locked;
 * `stop` leaves no process, port or lock, within 5 s; a killed supervisor takes its children with it (they watch
 * their channel), and the next start on the same folder recovers.
 */
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { LogLevel } from "@plateau/hosting";
import { createLog, StartProblem } from "@plateau/hosting";
import type { Logger } from "pino";
import type { BackendReady } from "./backend.ts";
import { Child, type ChildOptions } from "./child-process.ts";
import { startCrowds } from "./crowd/crowds.ts";
import { claimDataFolder, type DataFolder } from "./data-folder.ts";
import { claimPort } from "./ports.ts";
import type { PostgresReady } from "./postgres-host.ts";
import type { SandboxReady } from "./sandbox-host.ts";
import { prepareStorefront } from "./storefront-build.ts";

export interface SystemOptions {
  /** Absolute; made if missing. */
  readonly dataDir: string;
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** Whether pages are served. */
  readonly storefront: boolean;
  /** Whether simulated shoppers come, and the house opens a sale every five minutes. */
  readonly crowd: boolean;
  /** Removes what an earlier start left in the data folder. */
  readonly fresh?: boolean;
  /** Default: the one kept in the data folder. */
  readonly adminToken?: string | undefined;
  /** Default: the embedded PostgreSQL. */
  readonly databaseUrl?: string | undefined;
  readonly logLevel?: LogLevel;
  /** Addresses and CIDRs whose `X-Forwarded-For` is believed; default: none. */
  readonly trustedProxies?: readonly string[];
  /** TLS ends here or in a trusted proxy; default: it does not. */
  readonly secureCookies?: boolean;
  /** Where the children's output goes; default: this process's own. Appended to. */
  readonly logFile?: string;
  /** Whether a child that ended by itself is started again; default true. Killed ones never are. */
  readonly restart?: boolean;
  /** Aborting it while the start is under way stops what was started; the start then rejects. */
  readonly signal?: AbortSignal;
  /** How often in a minute a child may end by itself before it counts as broken; default 5. */
  readonly restartsPerMinute?: number;
  /** Further variables of the back end, such as its first settings (`KNOBS`, JSON). */
  readonly backendEnvironment?: Readonly<Record<string, string>>;
  /** Where the back end is to find what it works on, given where that is: a proxy between them, say. */
  readonly via?: (to: "database" | "sandbox", url: string) => Promise<string>;
}

/** One running child. */
export interface SystemProcess {
  /** E.g. `backend`. */
  readonly name: string;
  readonly pid: number;
}

export interface System {
  readonly url: string;
  readonly adminToken: string;
  readonly databaseUrl: string;
  readonly sandboxUrl: string;
  readonly dataDir: string;
  /** undefined while it is down. */
  readonly backendPid: number | undefined;
  /** Those that run now; one that was started again has a new pid. */
  readonly processes: readonly SystemProcess[];
  /** SIGKILL; resolves when it is gone. It stays down until `startBackend`. */
  killBackend(): Promise<void>;
  startBackend(): Promise<void>;
  /** Graceful stop and start. */
  restartBackend(): Promise<void>;
  /** Resolves with the reason when a part is broken for good. */
  readonly broken: Promise<string>;
  stop(): Promise<void>;
}

type Facts = Pick<System, "url" | "adminToken" | "databaseUrl" | "sandboxUrl" | "dataDir">;

/** Together below the 5 s that a stop may take. */
const backendStopMs = 3_300;
const surroundingsStopMs = 1_200;

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Throws StartProblem, with one line, where the surroundings do not allow it. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const folder = await claimDataFolder(options.dataDir, { fresh: options.fresh ?? false });
  const parts = new Parts(folder, options);
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

class Parts {
  readonly #folder: DataFolder;
  readonly #options: SystemOptions;
  readonly #log: Logger;
  readonly #output: number | "inherit";
  readonly #broken = Promise.withResolvers<string>();
  readonly #abort = new AbortController();
  #backend: Child<BackendReady> | undefined;
  /** What the back end works on; stopped after it. */
  readonly #surroundings: Child<unknown>[] = [];
  #crowds: { stop(): Promise<void> } | undefined;
  #stopped: Promise<void> | undefined;

  constructor(folder: DataFolder, options: SystemOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#log = createLog("demo", options.logFile === undefined ? (options.logLevel ?? "info") : "silent");
    this.#output = options.logFile === undefined ? "inherit" : openSync(options.logFile, "a");
  }

  async start(): Promise<System> {
    const { host = "127.0.0.1", port: wantedPort = 0 } = this.#options;
    const port = await claimPort(host, wantedPort);
    const url = `http://${reachable(host)}:${port}`;
    const adminToken = this.#options.adminToken ?? this.#folder.secrets.adminToken;
    const [databaseUrl, sandboxUrl, storefrontUrl] = await Promise.all([
      this.#startPostgres(),
      this.#startSandbox(),
      this.#startStorefront(url),
    ]);
    this.#throwIfStopped();
    const { via = async (_to, address) => address } = this.#options;
    const [databaseForBackend, sandboxForBackend] = await Promise.all([
      via("database", databaseUrl),
      via("sandbox", sandboxUrl),
    ]);
    const backend = this.#child<BackendReady>("backend", () => ({
      HOST: host,
      PORT: String(port),
      ADMIN_TOKEN: adminToken,
      DATABASE_URL: databaseForBackend,
      SANDBOX_URL: sandboxForBackend,
      STOREFRONT_URL: storefrontUrl,
      QUEUE_FOLDER: this.#folder.queue,
      SESSION_SECRET: this.#folder.secrets.session,
      PURCHASE_SECRET: this.#folder.secrets.purchase,
      TRUSTED_PROXIES: (this.#options.trustedProxies ?? []).join(","),
      SECURE_COOKIES: this.#options.secureCookies === true ? "1" : "0",
      ...this.#options.backendEnvironment,
    }));
    this.#backend = backend;
    const { toSellOut } = await backend.start();
    if (storefrontUrl !== undefined) await mustServePages(url);
    this.#throwIfStopped();
    if (this.#options.crowd) this.#crowds = startCrowds({ url, adminToken, toSellOut, log: this.#log });
    return this.#system(backend, { url, adminToken, databaseUrl, sandboxUrl, dataDir: this.#folder.path });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    this.#abort.abort();
    await this.#crowds?.stop();
    await this.#backend?.stop(backendStopMs);
    await Promise.all(this.#surroundings.map((child) => child.stop(surroundingsStopMs)));
    this.#folder.release();
    if (this.#output !== "inherit") closeSync(this.#output);
  }

  #throwIfStopped(): void {
    if (this.#abort.signal.aborted) throw new StartProblem("stopped while it started");
  }

  async #startPostgres(): Promise<string> {
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

  async #startSandbox(): Promise<string> {
    const ready: { url?: string } = {};
    const child = this.#surrounding<SandboxReady>("sandbox", () => ({
      SANDBOX_FOLDER: this.#folder.sandbox,
      SANDBOX_PORT: ready.url === undefined ? "0" : new URL(ready.url).port,
    }));
    ready.url = (await child.start()).url;
    return ready.url;
  }

  async #startStorefront(backendUrl: string): Promise<string | undefined> {
    if (!this.#options.storefront) return undefined;
    const server = await prepareStorefront(root, {
      onBuild: () => this.#log.info("building the storefront (its sources changed)…"),
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

  #surrounding<R>(name: string, env: ChildOptions["env"]): Child<R> {
    this.#throwIfStopped();
    const child = this.#child<R>(name, env);
    this.#surroundings.push(child);
    return child;
  }

  /** `name` is also that of its module: `<name>.ts` for the back end, `<name>-host.ts` for its surroundings. */
  #child<R>(name: string, env: ChildOptions["env"]): Child<R> {
    return new Child<R>({
      name,
      module: name === "backend" ? "./backend.ts" : `./${name}-host.ts`,
      env: () => ({ LOG_LEVEL: this.#options.logLevel ?? "info", ...env() }),
      output: this.#output,
      // Next greets on standard output.
      quiet: name === "storefront",
      log: this.#log,
      restart: this.#options.restart ?? true,
      restartsPerMinute: this.#options.restartsPerMinute ?? 5,
      onStarted: (pid) => this.#folder.enter(pid),
      onEnded: (pid) => this.#folder.strike(pid),
      onBroken: (problem) => this.#broken.resolve(problem),
    });
  }

  #system(backend: Child<BackendReady>, facts: Facts): System {
    const startBackend = async (): Promise<void> => {
      await backend.start();
    };
    const children: readonly Child<unknown>[] = [backend, ...this.#surroundings];
    return {
      ...facts,
      get backendPid() {
        return backend.pid;
      },
      get processes() {
        return children.flatMap(({ name, pid }) => (pid === undefined ? [] : [{ name, pid }]));
      },
      killBackend: () => backend.kill(),
      startBackend,
      restartBackend: async () => {
        await backend.stop(backendStopMs);
        await startBackend();
      },
      broken: this.#broken.promise,
      stop: () => this.stop(),
    };
  }
}

/** An address that clients can use: a wildcard is none. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

/** `ready` means that somebody who opens the URL sees the shop. */
async function mustServePages(url: string): Promise<void> {
  const answer = await fetch(url, { headers: { accept: "text/html" }, signal: AbortSignal.timeout(20_000) });
  const page = await answer.text();
  if (!answer.ok || !page.includes("</html>")) {
    throw new StartProblem(`the shop's first page was answered with status ${answer.status}`);
  }
}

/**
 * The whole system on one machine: PostgreSQL, the outside world (sandbox), the back end and the storefront, each a
 * child process, started as far as possible at once and stopped in order.
 *
 * Promises: `startSystem` either resolves with everything running, or rejects with nothing left running or locked;
 * `stop` leaves no process, port or lock, within 5 s; a killed supervisor takes its children with it (they watch
 * their channel), and the next start on the same folder recovers.
 */
import type { BackendReady } from "./backend.ts";
import type { Child, SomeChild } from "./child-process.ts";
import { startCrowds } from "./crowd/crowds.ts";
import type { DataFolder } from "./data-folder.ts";
import { claimPort } from "./ports.ts";
import { mustServePages, reachable, Surroundings, type SurroundingsOptions, startOnFolder } from "./surroundings.ts";

export interface SystemOptions extends SurroundingsOptions {
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
  /** Addresses and CIDRs whose `X-Forwarded-For` is believed; default: none. */
  readonly trustedProxies?: readonly string[];
  /** TLS ends here or in a trusted proxy; default: it does not. */
  readonly secureCookies?: boolean;
  /** Aborting it while the start is under way stops what was started; the start then rejects. */
  readonly signal?: AbortSignal;
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

/** With what the surroundings take, below the 5 s of a stop. */
const backendStopMs = 3_300;

/** Throws StartProblem, with one line, where the surroundings do not allow it. */
export function startSystem(options: SystemOptions): Promise<System> {
  return startOnFolder(options, (folder) => new Parts(folder, options));
}

class Parts {
  readonly #folder: DataFolder;
  readonly #options: SystemOptions;
  /** What the back end works on; stopped after it. */
  readonly #surroundings: Surroundings;
  #backend: Child<BackendReady> | undefined;
  #crowds: { stop(): Promise<void> } | undefined;
  #stopped: Promise<void> | undefined;

  constructor(folder: DataFolder, options: SystemOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#surroundings = new Surroundings(folder, options);
  }

  async start(): Promise<System> {
    const { host = "127.0.0.1", port: wantedPort = 0, storefront } = this.#options;
    const surroundings = this.#surroundings;
    const port = await claimPort(host, wantedPort);
    const url = `http://${reachable(host)}:${port}`;
    const adminToken = this.#options.adminToken ?? this.#folder.secrets.adminToken;
    const [databaseUrl, sandboxUrl, storefrontUrl] = await Promise.all([
      surroundings.startPostgres(),
      surroundings.startSandbox(),
      storefront ? surroundings.startStorefront(url) : undefined,
    ]);
    const { via = async (_to, address) => address } = this.#options;
    const [databaseForBackend, sandboxForBackend] = await Promise.all([
      via("database", databaseUrl),
      via("sandbox", sandboxUrl),
    ]);
    const fourWaysUrl = await surroundings.openFourWays(databaseUrl);
    const env = () => ({
      HOST: host,
      PORT: String(port),
      ADMIN_TOKEN: adminToken,
      DATABASE_URL: databaseForBackend,
      SANDBOX_URL: sandboxForBackend,
      STOREFRONT_URL: storefrontUrl,
      FOUR_WAYS_URL: fourWaysUrl,
      QUEUE_FOLDER: this.#folder.queue,
      SESSION_SECRET: this.#folder.secrets.session,
      PURCHASE_SECRET: this.#folder.secrets.purchase,
      TRUSTED_PROXIES: (this.#options.trustedProxies ?? []).join(","),
      SECURE_COOKIES: this.#options.secureCookies === true ? "1" : "0",
      // Who chose a token of their own wants it asked for.
      SIGN_IN_LOCAL_PERSON: this.#options.adminToken === undefined ? "1" : "0",
      ...this.#options.backendEnvironment,
    });
    const backend = surroundings.child<BackendReady>({ name: "backend", module: "./backend.ts", env });
    this.#backend = backend;
    const { toSellOut } = await backend.start();
    if (storefrontUrl !== undefined) await mustServePages(url);
    surroundings.throwIfStopped();
    if (this.#options.crowd) this.#crowds = startCrowds({ url, adminToken, toSellOut, log: surroundings.log });
    return this.#system(backend, { url, adminToken, databaseUrl, sandboxUrl, dataDir: this.#folder.path });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    this.#surroundings.beginStop();
    await this.#crowds?.stop();
    await this.#backend?.stop(backendStopMs);
    await this.#surroundings.stop();
  }

  #system(backend: Child<BackendReady>, facts: Facts): System {
    const startBackend = async (): Promise<void> => {
      await backend.start();
    };
    const children: readonly SomeChild[] = [backend, ...this.#surroundings.children];
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
      broken: this.#surroundings.broken,
      stop: () => this.stop(),
    };
  }
}

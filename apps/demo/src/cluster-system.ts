/**
 * The whole system as many processes over one Redis: any number of gateways, workers and consumers, one front before
 * the gateways, PostgreSQL, the outside world and the pages.
 *
 *   browser, k6 ──► front ──► gateway-1 … n ──► Redis ◄── worker-1 … n
 *                                 └──► PostgreSQL ◄── consumers-1 … n ──► Redis
 *
 * Promises: as `startSystem`: everything runs or nothing is left; `stop` leaves no process, port or lock, within 5 s; a
 * killed supervisor takes its children with it. A process that ended by itself is told and started again, at most so
 * often in a minute. One that is stopped or scaled away is first taken out of the front, answers what it holds, and
 * hands its partitions over.
 */
import { StartProblem } from "@plateau/hosting";
import type { Child, SomeChild } from "./child-process.ts";
import { startCrowds } from "./crowd/crowds.ts";
import type { DataFolder } from "./data-folder.ts";
import { Front } from "./front.ts";
import { claimPort } from "./ports.ts";
import { mustServePages, reachable, Surroundings, type SurroundingsOptions, startOnFolder } from "./surroundings.ts";

export const clusterKinds = ["gateways", "workers", "consumers"] as const;
export type ClusterKind = (typeof clusterKinds)[number];

export interface ClusterOptions extends SurroundingsOptions {
  /** Absolute; made if missing. */
  readonly dataDir: string;
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  readonly counts: Readonly<Record<ClusterKind, number>>;
  /** Default: a private one that syncs each answer. */
  readonly redisUrl?: string | undefined;
  readonly storefront: boolean;
  readonly crowd: boolean;
  readonly fresh?: boolean;
  readonly adminToken?: string | undefined;
  readonly trustedProxies?: readonly string[];
  readonly secureCookies?: boolean;
  readonly signal?: AbortSignal;
  /** Settings in force until somebody changes them. */
  readonly knobs?: Readonly<Record<string, unknown>>;
  /** Further variables of gateways, workers and consumers. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where those are to find what they work on, given where that is: a proxy between them, say. */
  readonly via?: (to: "database" | "redis" | "sandbox", url: string) => Promise<string>;
}

export interface ClusterProcess {
  /** E.g. `gateway-1`, `redis`. */
  readonly name: string;
  readonly pid: number;
  /** Of a gateway. */
  readonly url?: string;
}

export interface Cluster {
  /** Of the front. */
  readonly url: string;
  readonly adminToken: string;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly sandboxUrl: string;
  readonly dataDir: string;
  /** Those that run now, in the order in which they were first started. */
  readonly processes: readonly ClusterProcess[];
  /** Why nothing is sold since the start, until an operator accepts it. */
  readonly dataLost: string | undefined;
  /** Graceful stop and start of one process, by its name. */
  restart(name: string): Promise<void>;
  /** Resolves when so many run. */
  scale(kind: ClusterKind, count: number): Promise<void>;
  /** Resolves with the reason when a part is broken for good. */
  readonly broken: Promise<string>;
  stop(): Promise<void>;
}

interface GatewayReady {
  readonly url: string;
  readonly toSellOut: readonly string[];
  readonly dataLost?: string;
}

type Facts = Pick<Cluster, "url" | "adminToken" | "databaseUrl" | "redisUrl" | "sandboxUrl" | "dataDir">;

const nameOf = { gateways: "gateway", workers: "worker", consumers: "consumers" } as const satisfies Record<
  ClusterKind,
  string
>;

/** With what the surroundings take, below the 5 s of a stop. */
const gatewayStopMs = 2_000;
const behindStopMs = 1_500;
/** Nobody waits for the end of the whole: what is held may take its time. */
const restartStopMs = 5_000;

/** Throws StartProblem, with one line, where the surroundings do not allow it. */
export function startCluster(options: ClusterOptions): Promise<Cluster> {
  return startOnFolder(options, (folder) => new ClusterParts(folder, options));
}

class ClusterParts {
  readonly #folder: DataFolder;
  readonly #options: ClusterOptions;
  readonly #surroundings: Surroundings;
  readonly #running: Record<ClusterKind, Child<GatewayReady>[]> = { gateways: [], workers: [], consumers: [] };
  /** By name, while it is up. */
  readonly #gatewayUrls = new Map<string, string>();
  #facts: Facts | undefined;
  /** Where the children reach what they work on. */
  #reached: Readonly<Record<"DATABASE_URL" | "REDIS_URL" | "SANDBOX_URL", string>> | undefined;
  #storefrontUrl: string | undefined;
  #fourWaysUrl: string | undefined;
  #front: Front | undefined;
  #toSellOut: readonly string[] = [];
  #dataLost: string | undefined;
  #crowds: { stop(): Promise<void> } | undefined;
  #stopped: Promise<void> | undefined;

  constructor(folder: DataFolder, options: ClusterOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#surroundings = new Surroundings(folder, options);
  }

  async start(): Promise<Cluster> {
    const { host = "127.0.0.1", port: wantedPort = 0, counts, redisUrl } = this.#options;
    const surroundings = this.#surroundings;
    const port = await claimPort(host, wantedPort);
    const url = `http://${reachable(host)}:${port}`;
    const adminToken = this.#options.adminToken ?? this.#folder.secrets.adminToken;
    const [databaseUrl, redis, sandboxUrl, storefrontUrl] = await Promise.all([
      surroundings.startPostgres(),
      redisUrl ?? surroundings.startRedis(),
      surroundings.startSandbox(),
      this.#options.storefront ? surroundings.startStorefront(url) : undefined,
    ]);
    surroundings.throwIfStopped();
    this.#facts = { url, adminToken, databaseUrl, redisUrl: redis, sandboxUrl, dataDir: this.#folder.path };
    this.#reached = await this.#ways(this.#facts);
    this.#storefrontUrl = storefrontUrl;
    this.#fourWaysUrl = await surroundings.openFourWays(databaseUrl);
    this.#front = await Front.listen(host, port);
    // Back to front, so that no gateway takes a request that nobody would decide.
    await Promise.all([this.#scale("workers", counts.workers), this.#scale("consumers", counts.consumers)]);
    await this.#scale("gateways", counts.gateways);
    const sells = this.#dataLost === undefined;
    if (storefrontUrl !== undefined && sells) await mustServePages(url);
    surroundings.throwIfStopped();
    const toSellOut = this.#toSellOut;
    if (this.#options.crowd && sells) this.#crowds = startCrowds({ url, adminToken, toSellOut, log: surroundings.log });
    return this.#cluster(this.#facts);
  }

  async #ways({ databaseUrl, redisUrl, sandboxUrl }: Facts) {
    const { via = async (_to, url) => url } = this.#options;
    return {
      DATABASE_URL: await via("database", databaseUrl),
      REDIS_URL: await via("redis", redisUrl),
      SANDBOX_URL: await via("sandbox", sandboxUrl),
    };
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    this.#surroundings.beginStop();
    await this.#crowds?.stop();
    const { gateways, workers, consumers } = this.#running;
    await Promise.all(gateways.map((child) => child.stop(gatewayStopMs)));
    await this.#front?.stop();
    await Promise.all([...workers, ...consumers].map((child) => child.stop(behindStopMs)));
    await this.#surroundings.stop();
  }

  async #scale(kind: ClusterKind, count: number): Promise<void> {
    const running = this.#running[kind];
    const leaving = running.splice(count);
    const coming = Array.from({ length: Math.max(0, count - running.length) }, (_, index) =>
      this.#child(kind, running.length + index + 1),
    );
    running.push(...coming);
    await Promise.all([...leaving.map((child) => this.#leave(child)), ...coming.map((child) => child.start())]);
  }

  async #restart(name: string): Promise<void> {
    const child = clusterKinds.flatMap((kind) => this.#running[kind]).find((one) => one.name === name);
    if (child === undefined) throw new StartProblem(`no process ${name} runs`);
    await this.#leave(child);
    await child.start();
  }

  async #leave(child: SomeChild): Promise<void> {
    this.#front?.remove(child.name);
    await child.stop(restartStopMs);
  }

  #child(kind: ClusterKind, number: number): Child<GatewayReady> {
    const name = `${nameOf[kind]}-${number}`;
    const facts = this.#facts;
    if (facts === undefined || this.#reached === undefined) throw new Error("the surroundings are not there yet");
    const common = { ...this.#options.environment, PROCESS_NAME: name, ...this.#reached };
    return this.#surroundings.child<GatewayReady>({
      name,
      module: `../../${nameOf[kind]}/src/main.ts`,
      env: () => (kind === "gateways" ? { ...common, ...this.#gatewayEnvironment(facts) } : common),
      ...(kind === "gateways" ? { onReady: (ready) => this.#gatewayReady(name, ready) } : {}),
      onEnded: () => this.#gatewayEnded(name),
    });
  }

  #gatewayEnvironment(facts: Facts): Readonly<Record<string, string | undefined>> {
    const { trustedProxies = [], secureCookies = false, knobs = {} } = this.#options;
    return {
      HOST: "127.0.0.1",
      PORT: "0",
      ADMIN_TOKEN: facts.adminToken,
      STOREFRONT_URL: this.#storefrontUrl,
      FOUR_WAYS_URL: this.#fourWaysUrl,
      SESSION_SECRET: this.#folder.secrets.session,
      PURCHASE_SECRET: this.#folder.secrets.purchase,
      TRUSTED_PROXIES: trustedProxies.join(","),
      SECURE_COOKIES: secureCookies ? "1" : "0",
      KNOBS: JSON.stringify(knobs),
      CROWDS: this.#options.crowd ? "1" : "0",
    };
  }

  #gatewayReady(name: string, { url, toSellOut, dataLost }: GatewayReady): void {
    this.#dataLost = dataLost;
    this.#gatewayUrls.set(name, url);
    this.#front?.put(name, url);
    if (toSellOut.length > 0) this.#toSellOut = toSellOut;
  }

  #gatewayEnded(name: string): void {
    this.#gatewayUrls.delete(name);
    this.#front?.remove(name);
  }

  #processes(): readonly ClusterProcess[] {
    const children: readonly SomeChild[] = [
      ...this.#surroundings.children,
      ...clusterKinds.flatMap((kind) => this.#running[kind]),
    ];
    return children.flatMap(({ name, pid }) => {
      const url = this.#gatewayUrls.get(name);
      return pid === undefined ? [] : [{ name, pid, ...(url === undefined ? {} : { url }) }];
    });
  }

  #cluster(facts: Facts): Cluster {
    const processes = () => this.#processes();
    const dataLost = () => this.#dataLost;
    return {
      ...facts,
      get processes() {
        return processes();
      },
      get dataLost() {
        return dataLost();
      },
      restart: (name) => this.#restart(name),
      scale: (kind, count) => this.#scale(kind, count),
      broken: this.#surroundings.broken,
      stop: () => this.stop(),
    };
  }
}

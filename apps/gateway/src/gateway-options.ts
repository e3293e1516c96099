/** What a gateway is started with. Every time is in ms. */

import type { FaultStore, KnobStore } from "@plateau/domain";
import type { JobOffice } from "@plateau/hosting/jobs";
import type { Database } from "@plateau/prisma";
import type { Logger } from "pino";
import type { Queue } from "queue-core";
import type { SpikePlayer } from "./spikes/spike-player.ts";

export interface Timings {
  /** How long the purchase call is held for a decision when the client does not say; after it 202. */
  readonly waitMs: number;
  /** The most that `Prefer: wait=N` can ask for. */
  readonly waitMaxMs: number;
  /** The purchase's deadline: a worker that meets it later records `expired`. */
  readonly decideWithinMs: number;
  /** How much longer than the deadline a reply is awaited before the result is looked up. */
  readonly replyGraceMs: number;
  /** A sold-out hint is told only when the stock was read at most this long ago. */
  readonly hintMaxAgeMs: number;
  /** How old the live stock in the catalogue may be. */
  readonly stockMaxAgeMs: number;
  /** How long a reply to a command (open, close, cancel) is awaited. */
  readonly commandWaitMs: number;
  readonly sessionLifetimeMs: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly heartbeatMs: number;
}

export const defaultTimings: Timings = {
  waitMs: 2_000,
  waitMaxMs: 30_000,
  decideWithinMs: 30_000,
  replyGraceMs: 5_000,
  hintMaxAgeMs: 500,
  stockMaxAgeMs: 100,
  commandWaitMs: 10_000,
  sessionLifetimeMs: 7 * 86_400_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  heartbeatMs: 15_000,
};

/** A setting of the store that puts what it acknowledged at risk. */
export interface StorageRisk {
  readonly setting: string;
  /** `unknown` where the store does not tell. */
  readonly found: string;
  readonly recommended: string;
  /** What can happen, as a sentence. */
  readonly risk: string;
}

/**
 * Whether other gateways serve the same queue. `alone`: what is on its way is known here, or read from the log at the
 * start. `beside-others`: what is on its way is entered with its publish, so that each can answer for it, and all
 * admit at one rate together.
 */
export type GatewayCompany = "alone" | "beside-others";

export interface StreamLimits {
  /** Event streams one user may hold; one more is answered 429. */
  readonly perUser: number;
  /** Event streams in all; one more is answered 503. */
  readonly total: number;
  /** A reader that leaves this many bytes unread is dropped. */
  readonly maxBufferedBytes: number;
}

export const defaultStreamLimits: StreamLimits = { perUser: 6, total: 5_000, maxBufferedBytes: 64 * 1024 };

/** What "try again with a crowd" opens; how many come is a setting. */
export interface ReplaySettings {
  readonly decisionCostMs: number;
}

export interface GatewayOptions {
  readonly queue: Queue;
  readonly db: Database;
  readonly knobs: KnobStore;
  readonly faults: FaultStore;
  readonly secrets: {
    /** Signs session tokens. */
    readonly session: string;
    /** Makes purchase ids unguessable; every gateway of one system has the same. */
    readonly purchase: string;
  };
  /** What `/readyz` tells of the store; default: nothing is at risk. */
  readonly storageRisks?: () => Promise<readonly StorageRisk[]>;
  /** Default `alone`. */
  readonly company?: GatewayCompany;
  readonly adminToken: string;
  readonly host: string;
  /** 0: the operating system chooses. */
  readonly port: number;
  readonly log: Logger;
  /** Pages are proxied there; without it every path outside the API is 404. */
  readonly storefrontUrl?: string;
  readonly sandboxUrl?: string;
  /** Where the experiment of the four ways is asked for; without it there is none. */
  readonly fourWaysUrl?: string;
  /** Jobs in a store of their own; default: those on the queue. The caller stops it, after the gateway. */
  readonly jobs?: JobOffice;
  /** The Redis that holds the jobs: then they can be looked at below /ops/jobs. */
  readonly jobsUrl?: string;
  /** CIDRs whose `X-Forwarded-For` is believed; none by default. */
  readonly trustedProxies?: readonly string[];
  /** TLS ends here or in a trusted proxy: cookies become `__Host-` and Secure. */
  readonly secureCookies?: boolean;
  /** Shoppers may start a crowd sale themselves; only for a demo. */
  readonly replay?: ReplaySettings;
  /** Who sends the spikes that the control room plays; without it there are none. */
  readonly spikePlayer?: SpikePlayer;
  /** Whoever opens /ops at this machine is signed in as admin; only for a demo that listens on loopback. */
  readonly signsInLocalPerson?: boolean;
  readonly timings?: Partial<Timings>;
  readonly streams?: Partial<StreamLimits>;
}

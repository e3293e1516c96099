/** The parts of a running gateway, as its routes see them. */
import type { KeyObject } from "node:crypto";
import type { FaultStore, KnobStore } from "@plateau/domain";
import type { JobOffice } from "@plateau/hosting/jobs";
import type { Database } from "@plateau/prisma";
import type { Logger } from "pino";
import type { Queue, Requester, StateView } from "queue-core";
import type { AdmissionTokens } from "./admission/admission-tokens.ts";
import type { AdmissionLimits } from "./admission/limits.ts";
import type { BacklogWatch } from "./flow/backlog-watch.ts";
import type { FlowMeter } from "./flow/flow-meter.ts";
import type { GatewayOptions, StreamLimits, Timings } from "./gateway-options.ts";
import type { AskedPurchases } from "./purchases/asked-purchases.ts";
import type { InFlight } from "./purchases/in-flight.ts";
import type { PendingPurchases } from "./purchases/pending-purchases.ts";
import type { PurchaseResolver } from "./purchases/purchase-resolver.ts";
import type { SaleBoard } from "./sales/sale-board.ts";
import type { SaleCatalogue } from "./sales/sale-catalogue.ts";
import type { SessionTokens } from "./session/session-tokens.ts";
import type { EventStreams } from "./streams/event-streams.ts";

export interface Gateway {
  /** Names this gateway in admission windows; new at each start. */
  readonly id: string;
  readonly options: GatewayOptions;
  readonly queue: Queue;
  readonly db: Database;
  readonly log: Logger;
  readonly knobs: KnobStore;
  readonly timings: Timings;
  readonly streamLimits: StreamLimits;
  readonly requester: Requester;
  readonly faults: FaultStore;
  /** The stock stage's entries: the truth about sales and purchases. */
  readonly stockState: StateView;
  readonly sessions: SessionTokens;
  /** Of `secrets.purchase`: what ids of purchases and payments are computed with. */
  readonly purchaseKey: KeyObject;
  readonly tokens: AdmissionTokens;
  readonly limits: AdmissionLimits;
  readonly board: SaleBoard;
  readonly catalogue: SaleCatalogue;
  readonly pending: PendingPurchases;
  /** Undefined where this is the only gateway. */
  readonly asked: AskedPurchases | undefined;
  readonly inFlight: InFlight;
  readonly resolver: PurchaseResolver;
  readonly backlog: BacklogWatch;
  readonly meter: FlowMeter;
  readonly streams: EventStreams;
  readonly jobs: JobOffice;
}

/**
 * The HTTP edge: admission, enqueue, replies, events, the control room's API; it fronts the pages so that there is
 * one origin.
 */
import { createSecretKey, randomUUID } from "node:crypto";
import { defaultKnobs, type StockCommand, stockCommands } from "@plateau/domain";
import { EmbeddedJobOffice } from "@plateau/hosting/jobs";
import type { FastifyInstance } from "fastify";
import type { Topic } from "queue-core";
import { openAdmissionTokens } from "./admission/admission-tokens.ts";
import { createAdmissionLimits } from "./admission/limits.ts";
import { admissionSteps } from "./admission/steps.ts";
import { auditRoutes } from "./audit/audit-routes.ts";
import { FaultCatalogue } from "./faults/fault-catalogue.ts";
import { ProviderOrders } from "./faults/provider-orders.ts";
import { behindReplyFaults } from "./faults/reply-faults.ts";
import { AdmissionWindows } from "./flow/admission-windows.ts";
import { BacklogWatch } from "./flow/backlog-watch.ts";
import { ControlRoomWatch } from "./flow/control-room-watch.ts";
import { FlowMeter } from "./flow/flow-meter.ts";
import { FlowSampler } from "./flow/flow-samples.ts";
import { WayWatch } from "./flow/way-watch.ts";
import type { Gateway } from "./gateway.ts";
import { defaultStreamLimits, defaultTimings, type GatewayOptions } from "./gateway-options.ts";
import { AskedPurchases } from "./purchases/asked-purchases.ts";
import { InFlight } from "./purchases/in-flight.ts";
import { PendingPurchases } from "./purchases/pending-purchases.ts";
import { recoverPending } from "./purchases/pending-recovery.ts";
import { PurchaseResolver } from "./purchases/purchase-resolver.ts";
import { catalogueRoutes } from "./routes/catalogue.ts";
import { flowRoutes } from "./routes/flow.ts";
import { opsRoutes } from "./routes/ops.ts";
import { orderRoutes } from "./routes/orders.ts";
import { purchaseRoutes } from "./routes/purchases.ts";
import { replayRoute } from "./routes/replay.ts";
import { sessionRoutes } from "./routes/session.ts";
import { SaleBoard } from "./sales/sale-board.ts";
import { SaleCatalogue } from "./sales/sale-catalogue.ts";
import { SaleOpening } from "./sales/sale-opening.ts";
import { buildServer } from "./server.ts";
import { createAdminGuard } from "./session/admin-guard.ts";
import { createSessionGuard } from "./session/session-guard.ts";
import { createSessionTokens } from "./session/session-tokens.ts";
import { Spikes } from "./spikes/spikes.ts";
import { Broadcast } from "./streams/broadcast.ts";
import { EventStreams } from "./streams/event-streams.ts";
import { PurchaseStreams } from "./streams/purchase-streams.ts";

export { ProblemError } from "./edge/problem.ts";
export type { Gateway } from "./gateway.ts";
export { defaultTimings, type GatewayCompany, type GatewayOptions, type Timings } from "./gateway-options.ts";
export { keepTimetableFilled } from "./sales/sale-timetable.ts";
export type { SpikePlayer } from "./spikes/spike-player.ts";

export interface RunningGateway {
  readonly url: string;
  /** Purchases on their way at this gateway. */
  pendingPurchases(): number;
  /** Held calls are answered, streams ended, counts published; then the port is free. */
  stop(): Promise<void>;
}

/** Connections that are not done by then are cut. */
const closeWithinMs = 3_000;

/** Resolves when the port is open. Throws where the port, the queue or the database fails. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const gateway = await assemble(options);
  const parts = routeParts(gateway);
  try {
    if (gateway.asked === undefined) await recoverPending(gateway.queue, gateway.pending);
    await parts.opening.resend();
    await gateway.backlog.start();
    await lookAgain(parts); // What the first second is measured against.
    gateway.board.start();
    gateway.resolver.start();
    gateway.inFlight.start();
    const app = await buildServer(gateway, (api) => addRoutes(api, gateway, parts));
    const url = await app.listen({ host: options.host, port: options.port });
    await parts.spikes.open(url);
    let stopping: Promise<void> | undefined;
    const ticking = setInterval(() => everySecond(gateway, parts), 1_000).unref();
    return {
      url,
      pendingPurchases: () => gateway.pending.size,
      stop: () => (stopping ??= stopGateway(gateway, parts, app, ticking)),
    };
  } catch (error) {
    await stopParts(gateway, parts);
    throw error;
  }
}

async function assemble(options: GatewayOptions): Promise<Gateway> {
  const { queue, db, log, knobs, faults } = options;
  const timings = { ...defaultTimings, ...options.timings };
  const streamLimits = { ...defaultStreamLimits, ...options.streams };
  const now = () => queue.now();
  const id = `g_${randomUUID().slice(0, 8)}`;
  const meter = new FlowMeter(id);
  const stockState = queue.state("stock", stockCommands as Topic<StockCommand> as Topic<unknown>);
  const requester = behindReplyFaults(await queue.requester(), faults);
  const pending = new PendingPurchases((result) => meter.decided(result));
  const asked = options.company === "beside-others" ? new AskedPurchases(queue.engine) : undefined;
  const backlog = new BacklogWatch(queue, (error) => log.warn({ err: error }, "the backlog could not be read"));
  return {
    id,
    options,
    queue,
    db,
    log,
    knobs,
    timings,
    streamLimits,
    requester,
    faults,
    stockState,
    sessions: await createSessionTokens({
      secret: options.secrets.session,
      lifetimeMs: timings.sessionLifetimeMs,
      now,
    }),
    purchaseKey: createSecretKey(options.secrets.purchase, "utf8"),
    tokens: await openAdmissionTokens({
      company: options.company ?? "alone",
      engine: queue.engine,
      knobs: () => knobs.get(),
      onBackgroundError: (where, error) => log.warn({ err: error }, where),
    }),
    limits: createAdmissionLimits(() => knobs.get()),
    board: new SaleBoard(stockState, now),
    catalogue: new SaleCatalogue({ db, now, log }),
    pending,
    asked,
    inFlight: new InFlight({ pending, asked, stockState, backlog, log }),
    resolver: new PurchaseResolver({ stockState, requester, pending, now, log }),
    backlog,
    meter,
    jobs: options.jobs ?? new EmbeddedJobOffice(queue),
    streams: new EventStreams(streamLimits, timings.heartbeatMs),
  };
}

function routeParts(gateway: Gateway) {
  const { options, queue, log, timings, faults, knobs } = gateway;
  const secureCookies = options.secureCookies === true;
  const providerOrders = new ProviderOrders({
    sandboxUrl: options.sandboxUrl,
    faults,
    knobs: () => knobs.get(),
    usual: defaultKnobs,
  });
  const watch: ControlRoomWatch = new ControlRoomWatch(gateway, {
    spike: () => spikes.runner?.status ?? null,
    faults: () => catalogue.activeIds,
    inFlight: () => new Map(),
  });
  const catalogue: FaultCatalogue = new FaultCatalogue({ queue, faults, providerOrders, marks: watch.marks });
  const opening = new SaleOpening({ ...gateway, commandWaitMs: timings.commandWaitMs });
  const spikes: Spikes = new Spikes(gateway, { opening, catalogue, marks: watch.marks });
  return {
    opening,
    spikes,
    providerOrders,
    catalogue,
    watch,
    guard: createSessionGuard(gateway.sessions, { secureCookies }),
    admin: createAdminGuard(options.adminToken, { secureCookies }),
    purchaseStreams: new PurchaseStreams(gateway),
    way: new WayWatch(queue),
    sampler: new FlowSampler(gateway),
    flowEvents: new Broadcast(gateway.streams, "flow"),
    windows: new AdmissionWindows(queue, gateway.meter, log),
  };
}

type RouteParts = ReturnType<typeof routeParts>;

function addRoutes(api: FastifyInstance, gateway: Gateway, parts: RouteParts): void {
  const { options } = gateway;
  const { guard, opening, sampler } = parts;
  sessionRoutes(api, gateway, guard);
  purchaseRoutes(api, gateway, {
    guard,
    steps: admissionSteps({ guard, tokens: gateway.tokens }),
    streams: parts.purchaseStreams,
  });
  catalogueRoutes(api, gateway);
  orderRoutes(api, gateway, guard);
  flowRoutes(api, gateway, { sampler, broadcast: parts.flowEvents });
  if (options.replay !== undefined) replayRoute(api, gateway, { guard, opening, settings: options.replay });
  opsRoutes(api, gateway, parts);
  auditRoutes(api, { gateway, admin: parts.admin });
}

function everySecond(gateway: Gateway, parts: RouteParts): void {
  lookAgain(parts).catch((error: unknown) => gateway.log.warn({ err: error }, "the flow could not be sampled"));
  parts.catalogue.observe();
  parts.providerOrders
    .lookAgain(gateway.queue.now())
    .catch((error: unknown) => gateway.log.debug({ err: error }, "the sandbox could not be told"));
  void parts.windows.publish(gateway.queue.now());
}

/** The live page and the control room share one reading. */
async function lookAgain(parts: RouteParts): Promise<void> {
  const way = await parts.way.read();
  parts.flowEvents.send(await parts.sampler.sample(way));
  await parts.watch.everySecond(way);
}

async function stopGateway(
  gateway: Gateway,
  parts: RouteParts,
  app: FastifyInstance,
  ticking: NodeJS.Timeout,
): Promise<void> {
  clearInterval(ticking);
  await parts.spikes.stop();
  gateway.pending.releaseAll();
  gateway.streams.stop();
  // A connection whose last answer is out would stay open until its keep-alive ends.
  const idle = setInterval(() => app.server.closeIdleConnections(), 20);
  const cut = setTimeout(() => app.server.closeAllConnections(), closeWithinMs);
  await app.close();
  clearInterval(idle);
  clearTimeout(cut);
  // The first joins a publish under way, the second takes what that one did not.
  await parts.windows.publish(gateway.queue.now());
  await parts.windows.publish(Number.POSITIVE_INFINITY);
  await stopParts(gateway, parts);
}

async function stopParts(gateway: Gateway, parts: RouteParts): Promise<void> {
  gateway.streams.stop();
  gateway.board.stop();
  parts.way.stop();
  await Promise.all([
    parts.purchaseStreams.stop(),
    parts.watch.stop(),
    gateway.resolver.stop(),
    gateway.inFlight.stop(),
    gateway.backlog.stop(),
  ]);
  await gateway.tokens.stop();
  await gateway.requester.stop();
}

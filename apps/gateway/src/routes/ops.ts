/**
 * The control room: shoppers for load tests, sales, settings, faults, numbers.
 *
 * What can go wrong: everything here is powerful, so all of it stands behind the admin token, and nothing takes an
 * unbounded count.
 */
import type { FastifyInstance } from "fastify";
import type { FaultCatalogue } from "../faults/fault-catalogue.ts";
import type { ProviderOrders } from "../faults/provider-orders.ts";
import type { Gateway } from "../gateway.ts";
import type { SaleOpening } from "../sales/sale-opening.ts";
import type { AdminGuard } from "../session/admin-guard.ts";
import type { Spikes } from "../spikes/spikes.ts";
import { deadLetterRoutes } from "./dead-letters.ts";
import { fourWaysRoutes } from "./four-ways.ts";
import { jobRoutes } from "./jobs.ts";
import { memberRoute } from "./members.ts";
import { faultRoutes } from "./ops-faults.ts";
import { knobRoutes } from "./ops-knobs.ts";
import { type NumberParts, numberRoutes } from "./ops-numbers.ts";
import { saleRoutes, shopperRoute } from "./ops-sales.ts";
import { signInRoute } from "./ops-session.ts";
import { spikeRoutes } from "./ops-spikes.ts";
import { topicRoutes } from "./ops-topics.ts";
import { reconciliationRoute } from "./reconciliation.ts";

export interface OpsParts extends NumberParts {
  readonly admin: AdminGuard;
  readonly opening: SaleOpening;
  readonly catalogue: FaultCatalogue;
  readonly providerOrders: ProviderOrders;
  readonly spikes: Spikes;
}

export function opsRoutes(app: FastifyInstance, gateway: Gateway, parts: OpsParts): void {
  signInRoute(app, gateway, parts.admin);
  const { marks } = parts.watch;
  void app.register(async (ops) => {
    ops.addHook("onRequest", parts.admin.require);
    shopperRoute(ops, gateway);
    saleRoutes(ops, gateway, { opening: parts.opening, marks });
    knobRoutes(ops, gateway, { marks, providerOrders: parts.providerOrders });
    faultRoutes(ops, gateway, parts.catalogue);
    spikeRoutes(ops, gateway, parts.spikes);
    topicRoutes(ops, gateway);
    deadLetterRoutes(ops, gateway);
    memberRoute(ops, gateway);
    jobRoutes(ops, gateway);
    reconciliationRoute(ops, gateway);
    fourWaysRoutes(ops, gateway);
    numberRoutes(ops, gateway, parts);
  });
}

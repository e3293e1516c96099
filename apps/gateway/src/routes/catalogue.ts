/** What everybody may read: the clock, products, sales with live stock, and a sale's statistics. */
import {
  Problem,
  Product,
  Products,
  Sale,
  type Sale as SaleAnswer,
  SaleStatistics,
  Sales,
  ServerTime,
} from "@plateau/domain";
import { readStatistics } from "@plateau/prisma";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ProblemError } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";
import { type SaleRow, saleView } from "../sales/sale-view.ts";

const tags = ["catalogue"];
const saleParams = z.object({ saleId: z.string() });

export function catalogueRoutes(app: FastifyInstance, gateway: Gateway): void {
  app.get(
    "/time",
    { schema: { tags, summary: "The server's clock", response: { 200: ServerTime } } },
    (_request, reply) => {
      const epochMs = gateway.queue.now();
      reply.header("cache-control", "no-store").send({ now: new Date(epochMs).toISOString(), epochMs });
    },
  );

  app.get("/products", { schema: { tags, summary: "All products", response: { 200: Products } } }, async () => ({
    products: await gateway.catalogue.products(),
  }));

  app.get<{ Params: { productId: string } }>(
    "/products/:productId",
    {
      schema: {
        tags,
        summary: "A product",
        params: z.object({ productId: z.string() }),
        response: { 200: Product, 404: Problem },
      },
    },
    async (request) => {
      const product = (await gateway.catalogue.products()).find(({ id }) => id === request.params.productId);
      if (product === undefined) throw new ProblemError("not-found", "No such product");
      return product;
    },
  );

  app.get("/sales", { schema: { tags, summary: "Sales with live stock", response: { 200: Sales } } }, async () => {
    const rows = await gateway.catalogue.sales();
    return { sales: await Promise.all(rows.map((row) => liveView(gateway, row))) };
  });

  app.get<{ Params: { saleId: string } }>(
    "/sales/:saleId",
    { schema: { tags, summary: "A sale with live stock", params: saleParams, response: { 200: Sale, 404: Problem } } },
    async (request) => liveView(gateway, await knownSale(gateway, request.params.saleId)),
  );

  app.get<{ Params: { saleId: string } }>(
    "/sales/:saleId/statistics",
    {
      schema: {
        tags,
        summary: "What became of its requests",
        params: saleParams,
        response: { 200: SaleStatistics, 404: Problem },
      },
    },
    async (request) => {
      const { id } = await knownSale(gateway, request.params.saleId);
      return readStatistics(gateway.db, id);
    },
  );
}

/** Throws not-found. */
export async function knownSale(gateway: Gateway, saleId: string): Promise<SaleRow> {
  // What can be no sale's id never gets to the database, which for one refuses NUL.
  const row = /^[A-Za-z0-9_-]{1,40}$/.test(saleId) ? await gateway.catalogue.sale(saleId) : undefined;
  if (row === undefined) throw new ProblemError("not-found", "No such sale");
  return row;
}

export async function liveView(gateway: Gateway, row: SaleRow): Promise<SaleAnswer> {
  const live = await gateway.board.read(row.id, gateway.timings.stockMaxAgeMs);
  return saleView(row, live?.stock, gateway.queue.now());
}

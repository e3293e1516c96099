/** The crowd against a shop of a few lines, over HTTP as in the demo. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { Sale } from "@plateau/domain";
import { afterEach, describe, expect, it } from "vitest";
import { bringCrowd } from "./crowd.ts";
import { sellOut } from "./sell-out.ts";
import { ShopClient } from "./shop-client.ts";

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterS?: number;
}
type Route = (request: { path: string; user: string; key: string; body: Record<string, unknown> }) => Answer;

let server: Server | undefined;
afterEach(() => new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve()))));

async function openShop(route: Route): Promise<string> {
  server = createServer((request, response) => {
    void read(request).then((body) => {
      const answer = route({
        path: `${request.method} ${request.url}`,
        user: String(request.headers.authorization ?? "").replace("Bearer ", ""),
        key: String(request.headers["idempotency-key"] ?? ""),
        body,
      });
      const retry = answer.retryAfterS === undefined ? {} : { "retry-after": String(answer.retryAfterS) };
      response.writeHead(answer.status, { "content-type": "application/json", connection: "close", ...retry });
      response.end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

async function read(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text === "" ? {} : JSON.parse(text);
}

const sale = (changes: Partial<Sale>): Sale =>
  Sale.parse({
    id: "s1",
    productId: "tent",
    title: "Tent",
    picture: "tent",
    priceCents: 1,
    regularPriceCents: 2,
    stock: 1,
    available: 1,
    reserved: 0,
    sold: 0,
    perUserLimit: 1,
    startsAt: new Date(0).toISOString(),
    endsAt: new Date(1).toISOString(),
    paymentTimeoutMs: 1_000,
    state: "open",
    crowd: 0,
    house: true,
    ...changes,
  });

/** A shop that makes shoppers and leaves the rest to `then`. */
function withShoppers(then: Route): Route {
  let made = 0;
  return (request) => {
    if (request.path === "POST /api/ops/shoppers") {
      const shoppers = Array.from({ length: Number(request.body.count) }, () => ({ userId: "u", token: `t${++made}` }));
      return { status: 201, body: { shoppers } };
    }
    if (request.path === "POST /api/session") return { status: 201, body: { userId: "u", token: `bot${++made}` } };
    return then(request);
  };
}

const ended = (state: string, user: string): Answer => ({
  status: state === "won" ? 201 : 409,
  body: {
    id: `p-${user}`,
    saleId: "s1",
    userId: "u",
    quantity: 1,
    state,
    ...(state === "won" ? { orderId: `o-${user}` } : {}),
  },
});

/** Time passes at once: every draw is zero, so that everybody comes and pays immediately. */
const random = (): number => 0;
const neverStopped = new AbortController().signal;

describe("a crowd", () => {
  it("comes as large as the sale says, bots among it on one device, and each shopper asks once", async () => {
    const buyers: string[] = [];
    const url = await openShop(
      withShoppers(({ path, user }) => {
        if (path === "POST /api/sales/s1/purchases") buyers.push(user);
        return ended("sold_out", user);
      }),
    );
    const client = new ShopClient({ url, adminToken: "admin", signal: neverStopped });
    const report = await bringCrowd({ client, sale: sale({ crowd: 130 }), signal: neverStopped, random });
    expect(report).toEqual(new Map([["sold_out", 130]]));
    expect(new Set(buyers).size).toBe(130);
    expect(buyers.filter((user) => user.startsWith("bot"))).toHaveLength(6);
  });

  it("waits as long as Retry-After says and asks again under the same key", async () => {
    const keys: string[] = [];
    const url = await openShop(
      withShoppers(({ user, key }) => {
        keys.push(key);
        return keys.length === 1
          ? { status: 429, body: { code: "throttled" }, retryAfterS: 0 }
          : ended("sold_out", user);
      }),
    );
    const client = new ShopClient({ url, adminToken: "admin", signal: neverStopped });
    await bringCrowd({ client, sale: sale({ crowd: 1 }), signal: neverStopped, random });
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
  });

  it("gives up a shop that refuses for ever", async () => {
    let asked = 0;
    const url = await openShop(
      withShoppers(() => {
        asked++;
        return { status: 503, body: { code: "overloaded" }, retryAfterS: 0 };
      }),
    );
    const client = new ShopClient({ url, adminToken: "admin", signal: neverStopped });
    const report = await bringCrowd({ client, sale: sale({ crowd: 2 }), signal: neverStopped, random });
    expect(report).toEqual(new Map([["gave up", 2]]));
    expect(asked).toBe(8);
  });

  it("ends at once when it is stopped", async () => {
    const stopping = new AbortController();
    const url = await openShop(
      withShoppers(({ user }) => {
        stopping.abort();
        return { status: 202, body: { ...(ended("queued", user).body as object), state: "queued", etaMs: 60_000 } };
      }),
    );
    const client = new ShopClient({ url, adminToken: "admin", signal: stopping.signal });
    await expect(bringCrowd({ client, sale: sale({ crowd: 3 }), signal: stopping.signal, random })).rejects.toThrow();
  });
});

describe("selling out", () => {
  it("buys and pays what is left, waiting for orders that come a moment later", async () => {
    let available = 3;
    const paid = new Set<string>();
    const asked = new Set<string>();
    const url = await openShop(
      withShoppers(({ path, user }) => {
        if (path === "GET /api/sales/s1") return { status: 200, body: sale({ available }) };
        if (path === "POST /api/sales/s1/purchases") {
          available--;
          return ended("won", user);
        }
        if (!asked.has(user)) {
          asked.add(user);
          return { status: 404, body: { code: "not-found" }, retryAfterS: 0 };
        }
        paid.add(user);
        return { status: 200, body: {} };
      }),
    );
    const client = new ShopClient({ url, adminToken: "admin", signal: neverStopped });
    await sellOut(client, "s1", neverStopped);
    expect(available).toBe(0);
    expect(paid.size).toBe(3);
  });
});

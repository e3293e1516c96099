/**
 * The shop as its visitors reach it: over HTTP and nothing else. Every call ends by `timeoutMs` or when the crowd is
 * stopped. An answer outside the contract throws; refusals are answers.
 */
import type { Knobs, OpsSaleBody, Order, Problem, Product, Purchase, Sale } from "@plateau/domain";

const timeoutMs = 15_000;

export interface Answer<T> {
  readonly status: number;
  readonly body: T | Problem;
  /** From Retry-After; undefined without. */
  readonly retryAfterMs: number | undefined;
}

export interface ShopperTicket {
  readonly userId: string;
  readonly token: string;
}

export class ShopClient {
  readonly #url: string;
  readonly #adminToken: string;
  readonly #signal: AbortSignal;

  constructor(options: { url: string; adminToken: string; signal: AbortSignal }) {
    this.#url = options.url;
    this.#adminToken = options.adminToken;
    this.#signal = options.signal;
  }

  async sales(): Promise<readonly Sale[]> {
    return (await this.#mustGet<{ sales: Sale[] }>("/api/sales")).sales;
  }

  sale(saleId: string): Promise<Sale> {
    return this.#mustGet<Sale>(`/api/sales/${saleId}`);
  }

  /** How many simulated shoppers are to come to a sale of the house, as it is set now. */
  async crowdShoppers(): Promise<number> {
    const answer = await this.#send<Knobs>("GET", "/api/ops/knobs", { token: this.#adminToken });
    return must(answer, 200, "/api/ops/knobs").crowdShoppers;
  }

  async products(): Promise<readonly Product[]> {
    return (await this.#mustGet<{ products: Product[] }>("/api/products")).products;
  }

  async createShoppers(count: number): Promise<readonly ShopperTicket[]> {
    const answer = await this.#send<{ shoppers: ShopperTicket[] }>("POST", "/api/ops/shoppers", {
      token: this.#adminToken,
      body: { count },
    });
    return must(answer, 201, "/api/ops/shoppers").shoppers;
  }

  async createSale(body: OpsSaleBody): Promise<Sale> {
    const answer = await this.#send<Sale>("POST", "/api/ops/sales", { token: this.#adminToken, body });
    return must(answer, 201, "/api/ops/sales");
  }

  /** Signs in on a device of that name. */
  async signIn(deviceId: string): Promise<ShopperTicket> {
    const headers = { "device-id": deviceId };
    return must(await this.#send<ShopperTicket>("POST", "/api/session", { body: {}, headers }), 201, "/api/session");
  }

  buy(token: string, saleId: string, key: string): Promise<Answer<Purchase>> {
    const headers = { "idempotency-key": key };
    return this.#send<Purchase>("POST", `/api/sales/${saleId}/purchases`, { token, body: {}, headers });
  }

  purchase(token: string, purchaseId: string): Promise<Answer<Purchase>> {
    return this.#send<Purchase>("GET", `/api/purchases/${purchaseId}`, { token });
  }

  pay(token: string, orderId: string, outcome: "succeed" | "decline"): Promise<Answer<Order>> {
    return this.#send<Order>("POST", `/api/orders/${orderId}/payment`, { token, body: { outcome } });
  }

  cancel(token: string, orderId: string): Promise<Answer<Order>> {
    return this.#send<Order>("POST", `/api/orders/${orderId}/cancellation`, { token, body: {} });
  }

  async #mustGet<T>(path: string): Promise<T> {
    return must(await this.#send<T>("GET", path, {}), 200, path);
  }

  async #send<T>(
    method: "GET" | "POST",
    path: string,
    call: { token?: string; body?: unknown; headers?: Record<string, string> },
  ): Promise<Answer<T>> {
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      signal: AbortSignal.any([this.#signal, AbortSignal.timeout(timeoutMs)]),
    });
    const retryAfterS = Number(answer.headers.get("retry-after") ?? Number.NaN);
    return {
      status: answer.status,
      body: (await answer.json()) as T | Problem,
      retryAfterMs: Number.isFinite(retryAfterS) ? retryAfterS * 1_000 : undefined,
    };
  }
}

function must<T>({ status, body }: Answer<T>, expected: number, path: string): T {
  if (status !== expected) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`);
  return body as T;
}

/** Bad input over real sockets: the answer is a problem with a stable code, never a 500, never a hang. */
import { connect } from "node:net";
import type { problems, Sale } from "@plateau/domain";
import { beforeEach, expect, test } from "vitest";
import { adminToken, type GatewayBed, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();
let bed: GatewayBed;
let sale: Sale;
let token: string;

beforeEach(async () => {
  bed = await startBed({ timings: { headersTimeoutMs: 300, requestTimeoutMs: 400, waitMs: 50 } });
  sale = await bed.openSale();
  token = (await bed.signIn()).token;
});

/** Writes the chunks as they are and resolves with all that came back once the server closed. */
async function raw(...chunks: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(bed.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let received = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      received += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(received));
    for (const chunk of chunks) socket.write(chunk);
  });
}

function expectProblem(text: string, status: number, code: keyof typeof problems): void {
  expect(text.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
  expect(text.toLowerCase()).toContain("content-type: application/problem+json");
  expect(JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4))).toMatchObject({
    status,
    code,
    type: `/problems/${code}`,
  });
}

test("what the HTTP parser or the socket's bounds refuse is a problem, and the connection closes", async () => {
  const rows: readonly (readonly [string, readonly string[], number, keyof typeof problems])[] = [
    ["not HTTP at all", ["nonsense\r\n\r\n"], 400, "invalid-request"],
    ["two Host headers", ["GET /api/time HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"], 400, "invalid-request"],
    ["no Host header", ["GET /api/time HTTP/1.1\r\nConnection: close\r\n\r\n"], 400, "invalid-request"],
    [
      "length and chunks at once",
      ["POST /api/session HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"],
      400,
      "invalid-request",
    ],
    ["bare line feeds", ["GET /api/time HTTP/1.1\nHost: a\n\n"], 400, "invalid-request"],
    ["a header with a bare line feed", ["GET /api/time HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"], 400, "invalid-request"],
    [
      "headers too large",
      [`GET /api/time HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
      431,
      "headers-too-large",
    ],
    ["slow headers", ["GET /api/time HTTP/1.1\r\nHost: a\r\n"], 408, "request-timeout"],
    [
      "a slow body",
      ["POST /api/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"],
      408,
      "request-timeout",
    ],
    ["an idle connection", [], 408, "request-timeout"],
    [
      "an expectation nobody knows",
      ["GET /api/time HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n"],
      400,
      "invalid-request",
    ],
  ];
  for (const [name, chunks, status, code] of rows) {
    const answer = await raw(...chunks);
    expect(answer, name).not.toBe("");
    expectProblem(answer, status, code);
  }
});

test("bodies, keys and paths that do not fit are 4xx problems", async () => {
  const post = (path: string, text: string, headers: Record<string, string> = {}) =>
    fetch(`${bed.url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
      body: text,
    });
  const buy = `/api/sales/${sale.id}/purchases`;
  const rows: readonly (readonly [string, () => Promise<Response>, number, keyof typeof problems])[] = [
    ["malformed JSON", () => post(buy, "{"), 400, "invalid-request"],
    ["not even text", () => post(buy, "\u0000\ufffd"), 400, "invalid-request"],
    ["a duplicate key", () => post(buy, '{"quantity":1,"quantity":2}'), 400, "invalid-request"],
    ["a duplicate key by escape", () => post(buy, '{"quantity":1,"quantit\\u0079":2}'), 400, "invalid-request"],
    ["__proto__", () => post(buy, '{"__proto__":{"quantity":1}}'), 400, "invalid-request"],
    ["__proto__ by escape", () => post(buy, '{"__pr\\u006fto__":1}'), 400, "invalid-request"],
    ["an unknown field", () => post(buy, '{"price":1}'), 400, "invalid-request"],
    ["a number as text", () => post(buy, '{"quantity":"3"}'), 400, "invalid-request"],
    ["a fraction", () => post(buy, '{"quantity":1.5}'), 400, "invalid-request"],
    ["too many", () => post(buy, '{"quantity":11}'), 400, "invalid-request"],
    ["a list for an object", () => post(buy, "[1]"), 400, "invalid-request"],
    ["deeply nested", () => post(buy, `${"[".repeat(8_000)}${"]".repeat(8_000)}`), 400, "invalid-request"],
    ["a body too large", () => post(buy, `{"quantity":${" ".repeat(20_000)}1}`), 413, "body-too-large"],
    [
      "another media type",
      () => post(buy, "quantity=1", { "content-type": "text/plain" }),
      415,
      "unsupported-media-type",
    ],
    [
      "a form",
      () => post(buy, "a=1", { "content-type": "application/x-www-form-urlencoded" }),
      415,
      "unsupported-media-type",
    ],
    ["an empty key", () => post(buy, "{}", { "idempotency-key": "" }), 400, "invalid-request"],
    ["a key too long", () => post(buy, "{}", { "idempotency-key": "k".repeat(256) }), 400, "invalid-request"],
    ["another origin", () => post(buy, "{}", { origin: "https://evil.example" }), 403, "forbidden"],
    ["no origin at all", () => post(buy, "{}", { origin: "null" }), 403, "forbidden"],
    ["a cross-site page", () => post(buy, "{}", { "sec-fetch-site": "cross-site" }), 403, "forbidden"],
    ["a forged token", () => post(buy, "{}", { authorization: `Bearer ${token}x` }), 401, "unauthenticated"],
    [
      "a token of no algorithm",
      () => post(buy, "{}", { authorization: `Bearer ${unsigned(token)}` }),
      401,
      "unauthenticated",
    ],
    ["another scheme", () => post(buy, "{}", { authorization: "Basic YTpi" }), 401, "unauthenticated"],
    ["a sale of no shape", () => post("/api/sales/%00/purchases", "{}"), 404, "not-found"],
    ["an id with NUL", () => fetch(`${bed.url}/api/sales/%00`), 404, "not-found"],
    ["an id beyond length", () => fetch(`${bed.url}/api/sales/${"s".repeat(5_000)}`), 404, "not-found"],
    ["a broken escape", () => fetch(`${bed.url}/api/sales/%zz`), 400, "invalid-request"],
    ["a path nobody has", () => fetch(`${bed.url}/api/nothing`), 404, "not-found"],
    ["a name with NUL", () => post("/api/session", '{"name":"a\\u0000b"}'), 400, "invalid-request"],
    ["a device of no shape", () => post("/api/session", "{}", { "device-id": "a b" }), 400, "invalid-request"],
    ["no session for orders", () => fetch(`${bed.url}/api/orders`), 401, "unauthenticated"],
    ["an order id with NUL", () => get("/api/orders/%00"), 404, "not-found"],
    ["a purchase id of no shape", () => get("/api/purchases/x"), 404, "not-found"],
    ["control room without a token", () => fetch(`${bed.url}/api/ops/knobs`), 401, "unauthenticated"],
    ["control room with a shopper's token", () => get("/api/ops/knobs"), 401, "unauthenticated"],
    ["no shoppers", () => admin("/api/ops/shoppers", { count: 0 }), 400, "invalid-request"],
    ["too many shoppers", () => admin("/api/ops/shoppers", { count: 10_001 }), 400, "invalid-request"],
    ["a sale of nothing", () => admin("/api/ops/sales", { stock: 0 }), 400, "invalid-request"],
    ["a title with NUL", () => admin("/api/ops/sales", { stock: 1, title: "a\u0000" }), 400, "invalid-request"],
    ["a product nobody has", () => admin("/api/ops/sales", { stock: 1, productId: "moon" }), 400, "invalid-request"],
    [
      "a sale that ends before it begins",
      () => admin("/api/ops/sales", { stock: 1, startsAt: "2030-01-02T00:00:00Z", endsAt: "2030-01-01T00:00:00Z" }),
      400,
      "invalid-request",
    ],
  ];
  const get = (path: string) => fetch(`${bed.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  const admin = (path: string, body: unknown) =>
    post(path, JSON.stringify(body), { authorization: `Bearer ${adminToken}` });
  for (const [name, ask, status, code] of rows) {
    const answer = await ask();
    expect(answer.headers.get("content-type"), name).toContain("application/problem+json");
    expect({ name, ...((await answer.json()) as object) }).toMatchObject({ name, status, code });
    expect(answer.status, name).toBe(status);
  }
});

test("another method is 405 and names those that are there", async () => {
  const rows = [
    ["PATCH", "/api/session", "DELETE, POST"],
    ["PUT", `/api/sales/${sale.id}/purchases`, "GET, HEAD, POST"],
    ["POST", "/api/time", "GET, HEAD"],
    ["PATCH", "/healthz", "GET, HEAD"],
    ["OPTIONS", "/api/orders/o_1/payment", "POST"],
    ["HEAD", "/api/flow/events", "GET"],
  ] as const;
  for (const [method, path, allow] of rows) {
    const answer = await fetch(`${bed.url}${path}`, { method });
    expect([method, path, answer.status, answer.headers.get("allow")]).toEqual([method, path, 405, allow]);
  }
});

test("a spoofed X-Forwarded-For changes no limit", async () => {
  await bed.knobs.patch({ limitLoopback: true, addressRatePerSecond: 1 });
  const from = (address: string) => bed.buy(sale.id, token, { headers: { "x-forwarded-for": address } });
  await from("203.0.113.1");
  expect((await from("203.0.113.2")).body).toMatchObject({ code: "throttled", limit: "address" });
});

test("an admin cookie opens the control room, a wrong token gets no cookie", async () => {
  expect((await bed.call("POST", "/api/ops/session", { body: { token: "wrong" } })).status).toBe(401);
  const opened = await bed.call("POST", "/api/ops/session", { body: { token: adminToken } });
  expect(opened.status).toBe(204);
  const cookie = opened.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/HttpOnly/);
  expect(cookie).toMatch(/SameSite=Strict/);
  const knobs = await bed.call("GET", "/api/ops/knobs", { headers: { cookie: cookie.split(";")[0] ?? "" } });
  expect(knobs.status).toBe(200);
});

/** The same claims under `alg: none`. */
function unsigned(jwt: string): string {
  const header = Buffer.from('{"alg":"none"}').toString("base64url");
  return `${header}.${jwt.split(".")[1] ?? ""}.`;
}

import { request as ask, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { adminToken, type BedOptions, type GatewayBed, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();
let cookiesSeen: string | undefined;
const pages = createServer((request, response) => {
  cookiesSeen = request.headers.cookie;
  response.setHeader("set-cookie", "theme=dark").end("a page");
});
let storefrontUrl = "";

beforeAll(async () => {
  await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
  storefrontUrl = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
});
afterAll(() => pages.close());

const open = (options: BedOptions = {}) => startBed({ storefrontUrl, signsInLocalPerson: true, ...options });

/** As a browser sends it when somebody types the address. */
const typed = { connection: "keep-alive", "sec-fetch-site": "none", "sec-fetch-mode": "navigate" };

/** The cookies that the answer sets. */
function visit(bed: GatewayBed, headers: Record<string, string>, path = "/ops"): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const call = ask(`${bed.url}${path}`, { headers, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.headers["set-cookie"] ?? []);
    });
    call.on("error", reject).end();
  });
}

const isSignedIn = (cookies: readonly string[]): boolean => cookies.some((cookie) => cookie.startsWith("admin="));

test("who types the control room's address at this machine is signed in, by a cookie that works", async () => {
  const bed = await open();
  const cookies = await visit(bed, typed);
  const cookie = cookies.find((one) => one.startsWith("admin=")) ?? "";
  expect(cookie).toMatch(/HttpOnly.*SameSite=Strict/);
  expect(cookies).toContain("theme=dark");
  const answer = await bed.call("GET", "/api/ops/session", { headers: { cookie: cookie.split(";")[0] ?? "" } });
  expect(answer.status).toBe(204);
  expect((await bed.call("GET", "/api/ops/session")).status).toBe(401);
});

test("the page sees on the first visit already who it is, beside the cookies that were there", async () => {
  const bed = await open();
  await visit(bed, { ...typed, cookie: "theme=dark" });
  expect(cookiesSeen).toBe(`theme=dark; admin=${adminToken}`);
  await visit(bed, { ...typed, "sec-fetch-site": "cross-site" });
  expect(cookiesSeen).toBeUndefined();
});

test("also who comes from a page of the shop, and on a path below", async () => {
  const bed = await open();
  const followed = { connection: "keep-alive", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" };
  expect(isSignedIn(await visit(bed, followed, "/ops?_rsc=1"))).toBe(true);
  expect(isSignedIn(await visit(bed, typed, "/ops/topics"))).toBe(true);
});

test.each([
  ["a link on a page elsewhere", { "sec-fetch-site": "cross-site" }],
  ["a page on another port of this machine", { "sec-fetch-site": "same-site" }],
  ["a program that is no browser", { "sec-fetch-site": "" }],
  ["a frame or a fetch without an address typed", { "sec-fetch-mode": "no-cors" }],
  ["a name that was pointed at this machine", { host: "evil.example:3000" }],
  ["a name that ends like one of this machine", { host: "evil.localhost" }],
  ["this machine's name with another port", { host: "localhost:1" }],
  ["a proxy that tells whom it serves", { "x-forwarded-for": "192.0.2.1" }],
  ["a proxy that tells of itself", { via: "1.1 proxy" }],
  ["a proxy that tells in the standard's way", { forwarded: "for=192.0.2.1" }],
  ["a tunnel", { "cf-connecting-ip": "192.0.2.1" }],
  ["a proxy that tells nothing and closes the connection", { connection: "close" }],
])("nobody is signed in by %s", async (_what, headers: Record<string, string>) => {
  const bed = await open();
  expect(isSignedIn(await visit(bed, { ...typed, ...headers }))).toBe(false);
});

test.each([
  ["where nobody asked for it", { signsInLocalPerson: false }],
  ["where the shop is open to others", { host: "0.0.0.0" }],
  ["behind a proxy", { trustedProxies: ["127.0.0.1"] }],
  ["where TLS ends", { secureCookies: true }],
])("nobody is signed in by being here %s", async (_what, options: BedOptions) => {
  const bed = await open(options);
  expect(isSignedIn(await visit(bed, typed))).toBe(false);
});

test("no other page signs anybody in", async () => {
  const bed = await open();
  for (const path of ["/", "/opsx", "/orders", "/api/ops/session"]) {
    expect(isSignedIn(await visit(bed, typed, path))).toBe(false);
  }
});

test("the form's way: the token for the cookie; another token is refused", async () => {
  const bed = await open();
  const body = { token: adminToken };
  const signedIn = await bed.call("POST", "/api/ops/session", { body });
  expect([signedIn.status, isSignedIn(signedIn.headers.getSetCookie())]).toEqual([204, true]);
  expect((await bed.call("POST", "/api/ops/session", { body: { token: "guess" } })).status).toBe(401);
  const fromElsewhere = { body, headers: { origin: "http://evil.example" } };
  expect((await bed.call("POST", "/api/ops/session", fromElsewhere)).status).toBe(403);
});

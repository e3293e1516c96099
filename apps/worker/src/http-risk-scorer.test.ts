import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { PurchaseId, UserId } from "@plateau/domain";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHttpRiskScorer } from "./http-risk-scorer.ts";
import type { RiskSubject } from "./risk-scorer.ts";

const subject = (name: string, deviceId?: string): RiskSubject => ({
  id: `s_1.${name}` as PurchaseId,
  userId: `u_${name}` as UserId,
  address: "192.0.2.1",
  ...(deviceId === undefined ? {} : { deviceId }),
});
const never = new AbortController().signal;

describe("the risk scorer over HTTP", () => {
  let server: Server;
  let url: string;
  let received: { readonly method: string; readonly path: string; readonly body: unknown }[];
  let connections: Set<unknown>;
  /** Undefined: no answer at all. */
  let answer: { status: number; body: string } | undefined;
  let onRequest: () => void;

  beforeEach(async () => {
    received = [];
    connections = new Set();
    onRequest = () => undefined;
    server = createServer(async (request: IncomingMessage, response) => {
      connections.add(request.socket);
      const body: unknown = JSON.parse(await text(request));
      received.push({ method: request.method ?? "", path: request.url ?? "", body });
      onRequest();
      if (answer === undefined) return;
      response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("asks once for the whole batch, and maps the answers to purchases; a subject left out is absent", async () => {
    answer = { status: 200, body: '{"scores":[{"id":"1","score":0.97},{"id":"0","score":0}]}' };
    const scorer = createHttpRiskScorer({ url });
    const scores = await scorer.score([subject("a"), subject("b", "emulator-1"), subject("c")], never);
    expect([...scores].sort()).toEqual([
      ["s_1.a", 0],
      ["s_1.b", 0.97],
    ]);
    expect(received).toEqual([
      {
        method: "POST",
        path: "/risk/scores",
        body: {
          subjects: [
            { id: "0", userId: "u_a", address: "192.0.2.1" },
            { id: "1", userId: "u_b", deviceId: "emulator-1", address: "192.0.2.1" },
            { id: "2", userId: "u_c", address: "192.0.2.1" },
          ],
        },
      },
    ]);
  });

  it("keeps its connections alive, and needs no more of them than there are partitions", async () => {
    answer = { status: 200, body: '{"scores":[]}' };
    const scorer = createHttpRiskScorer({ url });
    const batches = Array.from({ length: 40 }, () => scorer.score([subject("a")], never));
    await Promise.all(batches);
    expect(connections.size).toBeLessThanOrEqual(8);
  });

  it.each([
    ["an error status", { status: 503, body: "{}" }, "answered 503"],
    ["no JSON", { status: 200, body: "<html>" }, "JSON"],
    ["no scores", { status: 200, body: "null" }, "without scores"],
    ["a score above 1", { status: 200, body: '{"scores":[{"id":"0","score":1.5}]}' }, "no score"],
    ["a score that is no number", { status: 200, body: '{"scores":[{"id":"0","score":"0.5"}]}' }, "no score"],
    ["a subject nobody asked about", { status: 200, body: '{"scores":[{"id":"7","score":0.5}]}' }, "no score"],
    ["an entry that is none", { status: 200, body: '{"scores":[null]}' }, "no score"],
  ])("rejects on %s, and makes no score up", async (_, bad, message) => {
    answer = bad;
    await expect(createHttpRiskScorer({ url }).score([subject("a")], never)).rejects.toThrow(message);
  });

  it("gives up when told to", async () => {
    answer = undefined;
    const control = new AbortController();
    onRequest = () => control.abort();
    await expect(createHttpRiskScorer({ url }).score([subject("a")], control.signal)).rejects.toThrow(/abort/i);
  });

  it("rejects where nobody listens, and where the address is no URL", async () => {
    const closed = url;
    await new Promise((resolve) => server.close(resolve));
    await expect(createHttpRiskScorer({ url: closed }).score([subject("a")], never)).rejects.toThrow();
    expect(() => createHttpRiskScorer({ url: "not a url" })).toThrow();
  });
});

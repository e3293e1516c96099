/** The load against a shop of a few lines, over HTTP as in the demo. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { SpikeLoad } from "./spike-load.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function open(answer: RequestListener): Promise<string> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("as many requests as ordered are sent, by shoppers in turn, and each answer is counted", async () => {
  const seen: string[] = [];
  const url = await open((request, response) => {
    seen.push(String(request.headers.authorization));
    const isLate = seen.length > 20;
    response.writeHead(isLate ? 503 : 202, { "content-type": "application/json" });
    response.end(JSON.stringify(isLate ? { code: "overloaded" } : { state: "queued" }));
  });
  const load = new SpikeLoad({ url, saleId: "s_1", tokens: ["a", "b"], perSecond: 100, seconds: 0.5 });
  await load.run();
  expect(load.progress).toEqual({
    sent: 50,
    answered: 50,
    answers: { 202: 20, 503: 30 },
    outcomes: { queued: 20, overloaded: 30 },
  });
  expect(new Set(seen)).toEqual(new Set(["Bearer a", "Bearer b"]));
});

test("a shop that answers nothing does not keep a load that is stopped", async () => {
  const url = await open(() => undefined);
  const load = new SpikeLoad({ url, saleId: "s_1", tokens: ["a"], perSecond: 100, seconds: 60 });
  const running = load.run();
  await expect.poll(() => load.progress.sent).toBeGreaterThan(0);
  load.stop();
  await running;
});

test("calls that break are counted as without an answer", async () => {
  const url = await open((request) => request.socket.destroy());
  const load = new SpikeLoad({ url, saleId: "s_1", tokens: ["a"], perSecond: 50, seconds: 0.2 });
  await load.run();
  expect(load.progress).toMatchObject({ sent: 10, answered: 10, answers: { 0: 10 }, outcomes: { "no answer": 10 } });
});

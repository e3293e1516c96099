import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { noFourWaysYet } from "@plateau/domain";
import { afterEach, expect, test } from "vitest";
import { adminToken, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();
const path = "/api/ops/four-ways";
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** Answers like the desk while an experiment runs, and notes what it was asked. */
async function busyDesk(): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const [body] = await request.toArray();
    asked.push(`${request.method} ${body ?? ""}`.trim());
    response.writeHead(request.method === "POST" ? 409 : 200);
    response.end(JSON.stringify({ ...noFourWaysYet, state: "running", remainingMs: 41_000 }));
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/path`, asked };
}

test("the experiment is the admin's alone; its report is passed on, and a second start is told how long to wait", async () => {
  const { url, asked } = await busyDesk();
  const bed = await startBed({ fourWaysUrl: url });
  expect((await bed.call("POST", path)).status).toBe(401);
  expect((await bed.call("GET", path, { token: adminToken })).body).toMatchObject({ state: "running" });
  expect((await bed.call("DELETE", path, { token: adminToken })).status).toBe(200);
  const second = await bed.call("POST", path, { token: adminToken, body: { seed: 3 } });
  expect(second.status).toBe(429);
  expect(second.body).toMatchObject({ code: "throttled", limit: "four-ways" });
  expect(second.headers.get("retry-after")).toBe("41");
  expect((await bed.call("POST", path, { token: adminToken, body: { seconds: 3_600 } })).status).toBe(400);
  expect(asked).toEqual(["GET", "DELETE", 'POST {"seed":3}']);
});

test("without a laboratory there is none, and one that is gone is unavailable", async () => {
  const without = await startBed();
  expect((await without.call("GET", path, { token: adminToken })).status).toBe(404);
  const gone = await startBed({ fourWaysUrl: "http://127.0.0.1:9/path" });
  expect((await gone.call("GET", path, { token: adminToken })).status).toBe(503);
});

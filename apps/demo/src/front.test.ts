import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Front } from "./front.ts";
import { claimPort } from "./ports.ts";

const fronts: Front[] = [];
const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(fronts.splice(0).map((front) => front.stop()));
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function gateway(name: string): Promise<string> {
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => response.end(`${name} ${request.method} ${text}`));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function front(): Promise<{ front: Front; url: string }> {
  const port = await claimPort("127.0.0.1", 0);
  const started = await Front.listen("127.0.0.1", port);
  fronts.push(started);
  return { front: started, url: `http://127.0.0.1:${port}` };
}

const ask = async (url: string): Promise<string> =>
  (await fetch(url, { method: "POST", body: "hello", headers: { connection: "close" } })).text();

test("connections go to the gateways in turn, each whole", async () => {
  const { front: one, url } = await front();
  one.put("a", await gateway("a"));
  one.put("b", await gateway("b"));
  const answers = [await ask(url), await ask(url), await ask(url), await ask(url)];
  expect(answers.sort()).toEqual(["a POST hello", "a POST hello", "b POST hello", "b POST hello"]);
});

test("a gateway that was taken out gets nothing new; one that is gone is passed over", async () => {
  const { front: one, url } = await front();
  one.put("a", await gateway("a"));
  one.put("b", await gateway("b"));
  one.put("gone", `http://127.0.0.1:${await claimPort("127.0.0.1", 0)}`);
  one.remove("a");
  expect(new Set([await ask(url), await ask(url), await ask(url)])).toEqual(new Set(["b POST hello"]));
});

test("between two starts a connection waits for a gateway; with none for long it is told 503", async () => {
  const { front: one, url } = await front();
  const waiting = ask(url);
  one.put("late", await gateway("late"));
  expect(await waiting).toBe("late POST hello");
  one.remove("late");
  const answer = await fetch(url, { headers: { connection: "close" } });
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "2"]);
  expect(await answer.json()).toMatchObject({ code: "unavailable", status: 503 });
});

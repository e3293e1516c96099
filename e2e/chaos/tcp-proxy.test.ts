import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

describe("the proxy between a process and what it works on", () => {
  let echo: Server;
  let proxy: TcpProxy;
  const clients: Socket[] = [];

  beforeEach(async () => {
    echo = createServer((socket) => socket.on("error", () => undefined).pipe(socket));
    echo.listen(0, "127.0.0.1");
    await once(echo, "listening");
    proxy = await openTcpProxy({ host: "127.0.0.1", port: (echo.address() as { port: number }).port });
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await proxy.close();
    echo.close();
  });

  async function client(): Promise<Socket> {
    const socket = connect({ port: proxy.port, host: "127.0.0.1" });
    clients.push(socket);
    await once(socket, "connect");
    return socket;
  }

  async function echoed(socket: Socket, text: string): Promise<string> {
    socket.write(text);
    const [answer] = (await once(socket, "data")) as [Buffer];
    return answer.toString();
  }

  it("passes on what comes", async () => {
    expect(await echoed(await client(), "hello")).toBe("hello");
    expect(proxy.hitBytes).toBe(0);
  });

  it("holds: an open connection goes silent and is never told, a new one works again after the release", async () => {
    const old = await client();
    await echoed(old, "before");
    proxy.hold();
    const heard: string[] = [];
    for (const event of ["data", "end", "close", "error"]) old.on(event, () => heard.push(event));
    old.write("into the void");
    await expect.poll(() => proxy.hitBytes).toBe("into the void".length);
    proxy.release();
    expect(await echoed(await client(), "after")).toBe("after");
    expect(heard).toEqual([]);
  });

  it("lags: everything comes, in order, also what comes when the lag is over, and is counted", async () => {
    const socket = await client();
    const expected: string[] = [];
    let heard = "";
    socket.on("data", (chunk: Buffer) => {
      heard += chunk.toString();
    });
    for (let n = 0; n < 200; n++) {
      proxy.lag(n % 4 === 3 ? 0 : 1 + (n % 4) * 2);
      const before = heard.length;
      socket.write(`${n} `);
      expected.push(`${n} `);
      if (n % 3 === 0) await expect.poll(() => heard.length, { interval: 1 }).toBeGreaterThan(before);
    }
    await expect.poll(() => heard).toBe(expected.join(""));
    proxy.lag(5);
    await echoed(socket, "late");
    expect(proxy.hitBytes).toBe(2 * "late".length);
  });
});

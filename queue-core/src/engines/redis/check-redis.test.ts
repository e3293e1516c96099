/** What a first look at a Redis tells of it. */
import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { hasRedis, redisTitle } from "../../../conformance/redis-bed.ts";
import { checkRedis } from "./check-redis.ts";
import { faultBed } from "./fault-bed.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Something that is no Redis; resolves with its port. */
function pretender(greet: (end: (text: string) => void) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    greet((text) => socket.end(text));
  });
  servers.push(server);
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)),
  );
}

async function problem(url: string, withinMs?: number): Promise<string> {
  try {
    await checkRedis({ address: { url }, ...(withinMs === undefined ? {} : { withinMs }) });
    return "none";
  } catch (error) {
    return (error as Error).message;
  }
}

/** A server that says it is of that version, and otherwise what an obliging Redis says. */
const ofVersion = (version: string) => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      const asked = chunk.toString("latin1").toLowerCase();
      const info = `# Server\r\nredis_version:${version}\r\nloading:0\r\n`;
      for (const name of asked.match(/\r\n(info|ping|client|select|auth)\r\n/g) ?? []) {
        socket.write(name.includes("info") ? `$${info.length}\r\n${info}\r\n` : "+OK\r\n");
      }
    });
  });
  servers.push(server);
  return new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)),
  );
};

describe("an address at which there is no Redis that can be used", () => {
  it("is told with host and port, and never with its password", async () => {
    const text = await problem("redis://shop:topsecret@127.0.0.1:1");
    expect(text).toBe("UNREACHABLE: Redis at 127.0.0.1:1 cannot be used: connect ECONNREFUSED 127.0.0.1:1");
  });

  it("is told where something else listens there, also where that says nothing at all", async () => {
    const silent = await pretender(() => undefined);
    expect(await problem(`redis://127.0.0.1:${silent}`, 200)).toContain("no answer within 200 ms");
    const web = await pretender((end) => end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect(await problem(`redis://127.0.0.1:${web}`)).toContain("what listens there is no Redis");
  });

  it.each(["6.2.14", "5.0.3"])("is told where Redis is older than 7.0: %s", async (version) => {
    const port = await ofVersion(version);
    expect(await problem(`redis://127.0.0.1:${port}`)).toBe(
      `INVALID_ARGUMENT: Redis 7.0 or newer is needed, and this one is ${version}`,
    );
  });

  it.each(["7.0.0", "7.4.1", "8.2.0", "10.0.0"])("is none where its version is %s", async (version) => {
    expect(await problem(`redis://127.0.0.1:${await ofVersion(version)}`)).toBe("none");
  });
});

describe.runIf(hasRedis)(`a first look at ${redisTitle}`, () => {
  const bed = faultBed();

  it("tells that a password is missing, is wrong, or that the database is not there", async () => {
    const { port, url } = await bed.start({ settings: { requirepass: "right-one" } });
    expect(await problem(url)).toBe("none");
    expect(await problem(`redis://127.0.0.1:${port}`)).toMatch(/cannot be used: NOAUTH/);
    const wrong = await problem(`redis://:wrong-one@127.0.0.1:${port}`);
    expect(wrong).toMatch(/cannot be used: WRONGPASS/);
    expect(wrong).not.toContain("wrong-one");
    expect(await problem(`${url}/99`)).toMatch(/DB index is out of range/);
  });
});

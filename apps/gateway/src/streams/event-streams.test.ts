import { type AddressInfo, connect } from "node:net";
import fastify from "fastify";
import { expect, test } from "vitest";
import { Broadcast } from "./broadcast.ts";
import { EventStreams } from "./event-streams.ts";

test("a reader that does not read is dropped, others go on", async () => {
  const streams = new EventStreams({ perUser: 5, total: 5, maxBufferedBytes: 64 * 1024 }, 60_000);
  const broadcast = new Broadcast(streams, "flow");
  const app = fastify();
  app.get("/", (request, reply) => broadcast.add(request, reply, "somebody"));
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const open = async () => {
    const socket = connect(port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await new Promise((resolve) => socket.once("data", resolve));
    return socket;
  };
  const deaf = await open();
  deaf.pause();
  const reader = await open();
  let received = 0;
  reader.on("data", (chunk) => {
    received += chunk.length;
  });
  const text = "x".repeat(1024);
  let sent = 0;
  // The kernel's buffers take some megabytes before anything piles up here.
  while (streams.statistics.dropped === 0) {
    broadcast.send(text);
    sent += text.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => streams.statistics).toEqual({ open: 1, dropped: 1 });
  await expect.poll(() => received).toBeGreaterThan(sent);
  deaf.destroy();
  reader.destroy();
  await expect.poll(() => streams.statistics.open).toBe(0);
  streams.stop();
  await app.close();
});

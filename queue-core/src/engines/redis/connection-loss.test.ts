/** What becomes of calls when the network fails in the middle of them. */
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { refusal, texts } from "../../../conformance/engine-harness.ts";
import { hasRedis, redisTitle } from "../../../conformance/redis-bed.ts";
import { describeAddress } from "./connection.ts";
import { faultBed, order, quick, until } from "./fault-bed.ts";
import { openRedisEngine } from "./open-redis-engine.ts";

describe.runIf(hasRedis)(`connections to ${redisTitle}`, () => {
  const bed = faultBed();

  async function behindProxy() {
    const server = await bed.start();
    const proxy = await bed.proxy(server.port);
    return { server, proxy, engine: await bed.engine(proxy.port) };
  }

  it("gives up a half-open connection, and stores what was under way once", async () => {
    const { proxy, engine } = await behindProxy();
    proxy.hold("everything");
    const { offsets } = await engine.commit({ append: [order("a")] });
    expect(offsets).toEqual([0]);
    expect(await texts(engine, 0, 0, "orders")).toEqual(["a"]);
  });

  it("stores a commit once whose answer was lost, and tells the receipt of the first time", async () => {
    const { server, proxy, engine } = await behindProxy();
    const other = await bed.engine(server.port);
    await engine.commit({ append: [order("before", 1)] });
    proxy.hold("answers");
    const committing = engine.commit({
      append: [order("a")],
      put: [{ namespace: "n", key: "k", value: Buffer.of(1) }],
    });
    await until(async () => (await other.range("orders", 0)).end === 1);
    const later = await other.commit({ append: [order("b")] });
    const receipt = await committing;
    expect(receipt.offsets).toEqual([0]);
    expect(receipt.sequence).toBeLessThan(later.sequence);
    expect(await texts(engine, 0, 0, "orders")).toEqual(["a", "b"]);
  });

  it("says of what was never sent that it is not stored, and that a retry may help", async () => {
    const server = await bed.start();
    const engine = await bed.engine(server.port, { deadlineMs: 500 });
    process.kill(server.pid, "SIGKILL");
    await server.ended;
    await engine.commit({}).catch(() => undefined);
    await expect(engine.commit({ append: [order("a")] })).rejects.toMatchObject({
      code: "UNREACHABLE",
      outcome: "not_stored",
      retryable: true,
    });
    await expect(engine.read("orders", 0, 0, { maxMessages: 1 })).rejects.toMatchObject({ code: "UNREACHABLE" });
  });

  it("says of what was sent and never answered that it is unknown", async () => {
    const server = await bed.start();
    const proxy = await bed.proxy(server.port);
    const engine = await bed.engine(proxy.port, { deadlineMs: 1_000 });
    await engine.commit({ append: [order("a")] });
    proxy.holdNew();
    proxy.hold("answers");
    await expect(engine.commit({ append: [order("b")] })).rejects.toMatchObject({
      code: "UNREACHABLE",
      outcome: "unknown",
    });
    proxy.pass();
    proxy.cut();
    expect(await texts(engine, 0, 0, "orders")).toEqual(["a", "b"]);
    expect((await engine.commit({ append: [order("c")] })).offsets).toEqual([2]);
  });

  it("stores nothing of a call that comes after later ones, from a connection given up long ago", async () => {
    const server = await bed.start();
    const proxy = await bed.proxy(server.port);
    const engine = await bed.engine(proxy.port, { deadlineMs: 1_000 });
    await engine.commit({ append: [order("a")] });
    proxy.holdNew();
    proxy.hold("requests");
    await expect(engine.commit({ append: [order("late")] })).rejects.toMatchObject({ outcome: "unknown" });
    proxy.pass();
    await until(() =>
      engine.commit({ append: [order("b")] }).then(
        () => true,
        () => false,
      ),
    );
    proxy.deliverLate();
    await bed.command(server.port, "PING");
    for (let n = 0; n < 20; n++) await engine.commit({});
    expect(await texts(engine, 0, 0, "orders")).toEqual(["a", "b"]);
  });

  it("keeps the order of one caller's commits over broken connections", async () => {
    const { proxy, engine } = await behindProxy();
    const commits: Promise<unknown>[] = [];
    for (let n = 0; n < 200; n++) {
      commits.push(engine.commit({ append: [order(String(n))] }));
      if (n % 50 === 25) proxy.cut();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(commits);
    expect(await texts(engine, 0, 0, "orders")).toEqual(Array.from({ length: 200 }, (_, n) => String(n)));
  });

  it("hears of other engines' commits again after its bell was half-open", async () => {
    const { server, proxy, engine } = await behindProxy();
    const other = await bed.engine(server.port);
    const heard: string[] = [];
    engine.onAppend((topic, partition) => heard.push(`${topic}/${partition}`));
    proxy.hold("everything");
    await other.commit({ append: [order("a", 1)] });
    await until(() => heard.includes("orders/1"));
    expect(engine.redisStatistics().silentMs).toBeLessThan(10_000);
  });

  it("closes while Redis is gone, and says of what waits that it is not stored", async () => {
    const server = await bed.start();
    const engine = await bed.engine(server.port, { deadlineMs: 500 });
    process.kill(server.pid, "SIGKILL");
    await server.ended;
    const commit = refusal(engine.commit({ append: [order("a")] }));
    await engine.close();
    expect(await commit).toBe("UNREACHABLE");
  });

  it("tells nobody a password", async () => {
    const server = await bed.start({ settings: { requirepass: "s3cret-right" } });
    const { port } = server;
    const urls = [
      `redis://:s3cret-wrong@127.0.0.1:${port}`,
      `redis://someone:s3cret-wrong@127.0.0.1:${port}/0`,
      "redis://:s3cret-right@127.0.0.1:1",
      "http://user:s3cret-right@127.0.0.1",
      "s3cret-right",
    ];
    for (const url of urls) {
      const opened = openRedisEngine({ address: { url }, deadlineMs: 300 });
      const error: unknown = await opened.catch((reason: unknown) => reason);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("s3cret");
    }
    expect(describeAddress({ url: `redis://:s3cret-right@127.0.0.1:${port}` })).toBe(`127.0.0.1:${port}`);
    const engine = await openRedisEngine({ address: { url: `redis://:s3cret-right@127.0.0.1:${port}` }, ...quick });
    expect(inspect(engine, { depth: 10, showHidden: true })).not.toContain("s3cret");
    await engine.close();
  });
});

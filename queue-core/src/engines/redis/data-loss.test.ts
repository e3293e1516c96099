/** What becomes of an engine when Redis goes, comes back, and has or has not what it acknowledged. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refusal, texts } from "../../../conformance/engine-harness.ts";
import { hasRedis, redisTitle } from "../../../conformance/redis-bed.ts";
import { acceptDataLoss } from "./accept-data-loss.ts";
import { faultBed, order, quick, until } from "./fault-bed.ts";
import { openRedisEngine } from "./open-redis-engine.ts";
import type { PrivateRedis } from "./private-redis.ts";

describe.runIf(hasRedis)(`data on ${redisTitle}`, () => {
  const bed = faultBed();
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "redis data "));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** A primary behind a proxy, and a replica that has all that the primary has, by way of another. */
  async function replicated() {
    const primary = await bed.start({ settings: { "repl-diskless-sync-delay": "0" } });
    const replication = await bed.proxy(primary.port);
    const replica = await bed.start({ settings: { replicaof: `127.0.0.1 ${replication.port}` } });
    const proxy = await bed.proxy(primary.port);
    await until(async () => String(await bed.command(replica.port, "INFO", "replication")).includes("link_status:up"));
    return { primary, replica, replication, proxy };
  }

  async function promote(replica: PrivateRedis): Promise<void> {
    await bed.command(replica.port, "REPLICAOF", "NO", "ONE");
  }

  it("goes on after SCRIPT FLUSH, as if nothing had happened", async () => {
    const { port } = await bed.start();
    const engine = await bed.engine(port);
    await engine.commit({ append: [order("a")] });
    await bed.command(port, "SCRIPT", "FLUSH");
    const receipts = await Promise.all(["b", "c"].map((text) => engine.commit({ append: [order(text)] })));
    expect(receipts.map(({ offsets }) => offsets[0])).toEqual([1, 2]);
    expect(await texts(engine, 0, 0, "orders")).toEqual(["a", "b", "c"]);
  });

  it("keeps everything acknowledged when Redis is killed and starts again, and stores what came meanwhile once", async () => {
    const first = await bed.start({ directory });
    const engine = await bed.engine(first.port);
    const lease = await engine.acquireLease({ group: "g", topic: "orders", partition: 0, member: "m", ttlMs: 60_000 });
    const commits: Promise<unknown>[] = [];
    for (let n = 0; n < 50; n++) commits.push(engine.commit({ append: [order(`before ${n}`)] }));
    await commits[0];
    process.kill(first.pid, "SIGKILL");
    await first.ended;
    for (let n = 0; n < 50; n++) commits.push(engine.commit({ append: [order(`after ${n}`)] }));
    await bed.start({ directory, port: first.port });
    await Promise.all(commits);
    const expected = ["before", "after"].flatMap((when) => Array.from({ length: 50 }, (_, n) => `${when} ${n}`));
    expect(await texts(engine, 0, 0, "orders")).toEqual(expected);
    expect(lease !== undefined && (await engine.renewLease(lease, 60_000))).toBe(true);
  });

  it("goes on where it hears of others' commits after a restart before it has called there itself", async () => {
    const first = await bed.start({ directory });
    const busy = await bed.engine(first.port);
    const idle = await bed.engine(first.port);
    let heard = 0;
    idle.onAppend(() => heard++);
    await busy.commit({ append: [order("a")] });
    await until(() => heard > 0);
    process.kill(first.pid, "SIGKILL");
    await first.ended;
    await bed.start({ directory, port: first.port });
    for (const text of ["b", "c", "d"]) {
      const before = heard;
      await busy.commit({ append: [order(text)] });
      await until(() => heard > before);
    }
    await idle.commit({ append: [order("e")] });
    expect(await texts(busy, 0, 0, "orders")).toEqual(["a", "b", "c", "d", "e"]);
  });

  it("refuses everything once Redis was emptied, on every engine, also one opened later", async () => {
    const { port } = await bed.start();
    const engine = await bed.engine(port);
    const other = await bed.engine(port);
    await engine.commit({ append: [order("a")] });
    await bed.command(port, "FLUSHALL");
    expect(await refusal(engine.commit({ append: [order("b")] }))).toBe("DATA_LOST");
    expect((await engine.failed).message).toContain("DATA_LOST");
    expect(await refusal(other.heartbeat("g", "m", 1_000))).toBe("DATA_LOST");
    await other.failed;
    expect(await refusal(bed.engine(port))).toBe("DATA_LOST");
  });

  it("finds out without being used", async () => {
    const { port } = await bed.start();
    const engine = await bed.engine(port);
    await bed.command(port, "FLUSHALL");
    await engine.failed;
  });

  it("goes on when the replica that takes over has everything", async () => {
    const { primary, replica, proxy } = await replicated();
    const engine = await bed.engine(proxy.port);
    await engine.commit({ append: [order("a")] });
    await until(async () => Number(await bed.command(primary.port, "WAIT", 1, 1_000)) === 1);
    await until(async () => (await bed.command(replica.port, "XLEN", "plateau:{main}:t:orders:0")) === 1);
    process.kill(primary.pid, "SIGKILL");
    await primary.ended;
    await promote(replica);
    proxy.target = replica.port;
    const { offsets } = await engine.commit({ append: [order("b")] });
    expect(offsets).toEqual([1]);
    expect(await texts(engine, 0, 0, "orders")).toEqual(["a", "b"]);
  });

  /** The replica misses what was acknowledged last. */
  async function lossyFailOver() {
    const { primary, replica, replication, proxy } = await replicated();
    const engine = await bed.engine(proxy.port);
    await engine.commit({ append: [order("a")] });
    await until(async () => (await bed.command(replica.port, "XLEN", "plateau:{main}:t:orders:0")) === 1);
    replication.hold("everything");
    for (let n = 0; n < 5; n++) await engine.commit({ append: [order(`lost ${n}`)] });
    process.kill(primary.pid, "SIGKILL");
    await primary.ended;
    await promote(replica);
    return { replica, proxy, engine };
  }

  it("notices that the replica that took over lacks acknowledged commits", async () => {
    const { replica, proxy, engine } = await lossyFailOver();
    proxy.target = replica.port;
    expect(await refusal(engine.commit({ append: [order("b")] }))).toBe("DATA_LOST");
  });

  it("notices it also when another engine has committed more than was lost before", async () => {
    const { replica, proxy, engine } = await lossyFailOver();
    const ignorant = await bed.engine(replica.port);
    for (let n = 0; n < 30; n++) await ignorant.commit({ append: [order("x")] });
    proxy.target = replica.port;
    expect(await refusal(engine.commit({ append: [order("b")] }))).toBe("DATA_LOST");
    expect(await refusal(ignorant.commit({ append: [order("y")] }))).toBe("DATA_LOST");
  });

  it("compares with what an application remembers when it opens", async () => {
    const { port } = await bed.start();
    const engine = await bed.engine(port);
    await engine.commit({ append: [order("a")] });
    const { mark } = engine;
    const address = { url: `redis://127.0.0.1:${port}` };
    await (await openRedisEngine({ address, ...quick, atLeast: mark })).close();
    const ahead = { ...mark, sequence: mark.sequence + 1 };
    expect(await refusal(openRedisEngine({ address, ...quick, atLeast: ahead }))).toBe("DATA_LOST");
  });

  it("does not begin anew where something is remembered", async () => {
    const { port } = await bed.start();
    const address = { url: `redis://127.0.0.1:${port}` };
    const atLeast = { incarnation: "0123456789ab", sequence: 7 };
    expect(await refusal(openRedisEngine({ address, ...quick, atLeast }))).toBe("DATA_LOST");
  });

  it("goes on after an operator's word, but not for those that remember", async () => {
    const { port } = await bed.start();
    const engine = await bed.engine(port);
    await engine.commit({ append: [order("a")] });
    const { mark } = engine;
    const address = { url: `redis://127.0.0.1:${port}` };
    await bed.command(port, "FLUSHALL");
    expect(await refusal(engine.commit({}))).toBe("DATA_LOST");
    await acceptDataLoss({ address });
    const anew = await bed.engine(port);
    expect((await anew.commit({ append: [order("b")] })).offsets).toEqual([0]);
    expect(await refusal(engine.commit({}))).toBe("DATA_LOST");
    expect(await refusal(openRedisEngine({ address, ...quick, atLeast: mark }))).toBe("DATA_LOST");
  });
});

/** What still goes when Redis is at its maxmemory, and what does not. */
import { describe, expect, it } from "vitest";
import { refusal, texts } from "../../../conformance/engine-harness.ts";
import { hasRedis, redisTitle } from "../../../conformance/redis-bed.ts";
import type { Engine, Lease } from "../../engine.ts";
import { faultBed, order, until } from "./fault-bed.ts";

const place = { group: "g", topic: "orders", partition: 0 };
const messages = 40;

describe.runIf(hasRedis)(`a full ${redisTitle}`, () => {
  const bed = faultBed();

  async function owner(engine: Engine): Promise<Lease> {
    const lease = await engine.acquireLease({ ...place, member: "m", ttlMs: 60_000 });
    if (lease === undefined) throw new Error("no lease");
    return lease;
  }

  /** Four megabytes of messages, and then no more than that is allowed. */
  async function fill(engine: Engine, port: number, maxmemory = "1mb"): Promise<void> {
    for (let n = 0; n < messages; n++) {
      await engine.commit({ append: [{ ...order("x"), value: Buffer.alloc(100_000, n) }] });
    }
    await bed.command(port, "CONFIG", "SET", "maxmemory", maxmemory);
  }

  it("refuses what comes from outside, and takes what an owner commits", async () => {
    const { port } = await bed.start();
    const engine = await bed.engine(port);
    const lease = await owner(engine);
    await fill(engine, port);
    await expect(engine.commit({ append: [order("a")] })).rejects.toMatchObject({
      code: "STORAGE_FULL",
      outcome: "not_stored",
      retryable: true,
    });
    const put = [{ namespace: "n", key: "k", value: Buffer.from("1") }];
    expect(await refusal(engine.commit({ put }))).toBe("STORAGE_FULL");
    await engine.commit({ fence: lease, advance: { ...place, to: 3 }, put, append: [order("result", 1)] });
    await engine.commit({ put: [{ namespace: "n", key: "k", value: null }] });
    expect(await engine.renewLease(lease, 60_000)).toBe(true);
    await engine.heartbeat("g", "m", 60_000);
    expect(await engine.committedOffset(place)).toBe(3);
    expect(await texts(engine, 1, 0, "orders")).toEqual(["result"]);
  });

  it("lets nothing of an owner's be refused because it went together with a publish", async () => {
    const { port } = await bed.start();
    const engine = await bed.engine(port);
    const lease = await owner(engine);
    await fill(engine, port);
    const outcomes = await Promise.allSettled([
      engine.commit({ append: [order("a", 1)] }),
      engine.commit({ fence: lease, append: [order("first", 1)] }),
      engine.commit({ append: [order("b", 1)] }),
      engine.commit({ fence: lease, append: [order("second", 1)] }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected", "fulfilled"]);
    expect(await texts(engine, 1, 0, "orders")).toEqual(["first", "second"]);
  });

  it("takes publishes again when there is room", async () => {
    const { port } = await bed.start();
    const engine = await bed.engine(port);
    await fill(engine, port);
    expect(await refusal(engine.commit({ append: [order("a")] }))).toBe("STORAGE_FULL");
    await bed.command(port, "CONFIG", "SET", "maxmemory", "50mb");
    const { offsets } = await engine.commit({ append: [order("again")] });
    expect(offsets).toEqual([messages]);
  });

  it("makes room of what was consumed by itself", async () => {
    const { port } = await bed.start();
    const engine = await bed.engine(port);
    const lease = await owner(engine);
    await fill(engine, port, "3mb");
    await engine.commit({ fence: lease, advance: { ...place, to: messages - 1 } });
    await until(async () => (await engine.range("orders", 0)).start === messages - 1);
    await engine.commit({ append: [order("again")] });
    await until(() => engine.redisStatistics().memory.usedBytes < 3 * 1024 * 1024);
    expect(engine.redisStatistics().memory.maxBytes).toBe(3 * 1024 * 1024);
  });
});

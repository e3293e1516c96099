/** Conformance of leases, fences and membership. */
import { describe, expect, it } from "vitest";
import type { Engine, Lease } from "../src/engine.ts";
import {
  type EngineFeatures,
  message,
  type OpenHarness,
  refusal,
  texts,
  topicName,
  withEngine,
} from "./engine-harness.ts";

const partition = { group: "g", topic: topicName, partition: 0 };

async function acquire(engine: Engine, member: string, ttlMs = 1000): Promise<Lease> {
  const lease = await engine.acquireLease({ ...partition, member, ttlMs });
  if (lease === undefined) throw new Error(`${member} got no lease`);
  return lease;
}

export function leaseConformance(_features: EngineFeatures, open: OpenHarness): void {
  describe("leases", () => {
    it("has one owner at a time, per group and partition", () =>
      withEngine(open, async ({ engine }) => {
        const lease = await acquire(engine, "anna");
        expect(lease).toMatchObject({ ...partition, member: "anna" });
        expect(await engine.acquireLease({ ...partition, member: "ben", ttlMs: 1000 })).toBeUndefined();
        const elsewhere = await engine.acquireLease({ ...partition, partition: 1, member: "ben", ttlMs: 1000 });
        expect(elsewhere?.member).toBe("ben");
        const otherGroup = await engine.acquireLease({ ...partition, group: "h", member: "ben", ttlMs: 1000 });
        expect(otherGroup?.member).toBe("ben");
      }));

    it("renews for its owner, by renewLease and by acquiring again, with the same epoch", () =>
      withEngine(open, async ({ engine, passTime }) => {
        const lease = await acquire(engine, "anna");
        await passTime(600);
        expect(await engine.renewLease(lease, 1000)).toBe(true);
        await passTime(600);
        expect((await acquire(engine, "anna")).epoch).toBe(lease.epoch);
        await passTime(600);
        expect(await engine.acquireLease({ ...partition, member: "ben", ttlMs: 1000 })).toBeUndefined();
      }));

    it("goes to somebody else once expired, with a higher epoch, and fences the old owner", () =>
      withEngine(open, async ({ engine, passTime }) => {
        const old = await acquire(engine, "anna");
        await engine.commit({ fence: old, append: [message("by anna")] });
        await passTime(1000);
        const fresh = await acquire(engine, "ben");
        expect(fresh.epoch).toBeGreaterThan(old.epoch);
        const stale = engine.commit({
          fence: old,
          advance: { ...partition, to: 1 },
          put: [{ namespace: "n", key: "k", value: Buffer.from("x") }],
          append: [message("stale")],
        });
        expect(await refusal(stale)).toBe("FENCED");
        expect(await engine.renewLease(old, 1000)).toBe(false);
        await engine.commit({ fence: fresh, append: [message("by ben")] });
        expect(await texts(engine)).toEqual(["by anna", "by ben"]);
        expect(await engine.committedOffset(partition)).toBe(0);
        expect(await engine.readState("n", ["k"])).toEqual([undefined]);
      }));

    it("still holds for an owner who was late, while nobody took it over", () =>
      withEngine(open, async ({ engine, passTime }) => {
        const lease = await acquire(engine, "anna");
        await passTime(5000);
        await engine.commit({ fence: lease, append: [message("late")] });
        expect(await engine.renewLease(lease, 1000)).toBe(true);
      }));

    it("gives a member that comes back after expiry a higher epoch, so that its former self is fenced", () =>
      withEngine(open, async ({ engine, passTime }) => {
        const former = await acquire(engine, "anna");
        await passTime(1000);
        const fresh = await acquire(engine, "anna");
        expect(fresh.epoch).toBeGreaterThan(former.epoch);
        expect(await refusal(engine.commit({ fence: former }))).toBe("FENCED");
      }));

    it("is free at once when released, and the releaser is fenced", () =>
      withEngine(open, async ({ engine }) => {
        const lease = await acquire(engine, "anna");
        await engine.releaseLease(lease);
        expect(await refusal(engine.commit({ fence: lease }))).toBe("FENCED");
        const fresh = await acquire(engine, "ben");
        expect(fresh.epoch).toBeGreaterThan(lease.epoch);
      }));

    it("cannot be released or renewed by a former owner", () =>
      withEngine(open, async ({ engine, passTime }) => {
        const former = await acquire(engine, "anna");
        await passTime(1000);
        const owner = await acquire(engine, "ben");
        await engine.releaseLease(former);
        expect(await engine.renewLease(former, 1000)).toBe(false);
        await engine.commit({ fence: owner });
      }));

    it("shows a new owner everything that the old one committed, also what was under way", () =>
      withEngine(open, async ({ engine }) => {
        const old = await acquire(engine, "anna");
        const underWay = engine.commit({
          fence: old,
          append: [message("a")],
          put: [{ namespace: "n", key: "k", value: Buffer.from("by anna") }],
        });
        await engine.releaseLease(old);
        await acquire(engine, "ben");
        expect((await engine.readState("n", ["k"]))[0]?.toString()).toBe("by anna");
        expect(await texts(engine)).toEqual(["a"]);
        await underWay;
      }));

    it("is refused for an unknown partition and for a TTL that is no time", () =>
      withEngine(open, async ({ engine }) => {
        const nowhere = engine.acquireLease({ ...partition, topic: "nowhere", member: "m", ttlMs: 1000 });
        expect(await refusal(nowhere)).toBe("UNKNOWN_TOPIC");
        const timeless = engine.acquireLease({ ...partition, member: "m", ttlMs: Number.NaN });
        expect(await refusal(timeless)).toBe("INVALID_ARGUMENT");
      }));
  });

  describe("a look at the leases", () => {
    it("tells who has each partition, under which epoch and until when, and what was released", () =>
      withEngine(open, async ({ engine, passTime }) => {
        const look = () => engine.leases("g", topicName);
        expect(await look()).toEqual([]);
        const second = await engine.acquireLease({ ...partition, partition: 1, member: "ben", ttlMs: 2000 });
        const first = await acquire(engine, "anna");
        await engine.acquireLease({ ...partition, group: "h", member: "carl", ttlMs: 1000 });
        const [anna, ben] = await look();
        expect(anna).toMatchObject({ partition: 0, member: "anna", epoch: first.epoch });
        expect(ben).toMatchObject({ partition: 1, member: "ben", epoch: second?.epoch });
        expect((ben?.expiresAtMs ?? 0) - (anna?.expiresAtMs ?? 0)).toBeGreaterThan(0);
        await engine.releaseLease(first);
        expect((await look())[0]).toEqual({ partition: 0, member: undefined, epoch: first.epoch, expiresAtMs: 0 });
        await passTime(2000);
        // It ran out, and nobody took over.
        expect((await look())[1]).toMatchObject({ member: "ben", epoch: second?.epoch });
        expect((await look())[1]?.expiresAtMs).toBeLessThanOrEqual(engine.now());
        const next = await engine.acquireLease({ ...partition, partition: 1, member: "anna", ttlMs: 1000 });
        expect((await look())[1]).toMatchObject({ member: "anna", epoch: next?.epoch });
      }));
  });

  describe("members", () => {
    it("are those whose heartbeat has not run out, sorted, per group", () =>
      withEngine(open, async ({ engine, passTime }) => {
        await engine.heartbeat("g", "ben", 1000);
        await engine.heartbeat("g", "anna", 3000);
        await engine.heartbeat("h", "carl", 1000);
        expect(await engine.members("g")).toEqual(["anna", "ben"]);
        await passTime(1000);
        expect(await engine.members("g")).toEqual(["anna"]);
        await engine.heartbeat("g", "anna", 0);
        expect(await engine.members("g")).toEqual([]);
        expect(await engine.members("nobody")).toEqual([]);
      }));
  });
}

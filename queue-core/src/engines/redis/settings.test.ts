/** What is told of a Redis's settings. */
import { describe, expect, it } from "vitest";
import { hasRedis, redisTitle } from "../../../conformance/redis-bed.ts";
import { faultBed, until } from "./fault-bed.ts";

describe.runIf(hasRedis)(`the settings of ${redisTitle}`, () => {
  const bed = faultBed();

  it("are without risk as they are recommended", async () => {
    const { port } = await bed.start({ settings: { maxmemory: "100mb" } });
    expect(await (await bed.engine(port)).risks()).toEqual([]);
  });

  it("are told one by one where they put something at risk", async () => {
    const settings = { "maxmemory-policy": "allkeys-lru", "aof-load-truncated": "yes" };
    const { port } = await bed.start({ appendfsync: "everysec", settings });
    const engine = await bed.engine(port);
    const risks = await engine.risks();
    expect(risks.map(({ setting, found, recommended }) => [setting, found, recommended])).toEqual([
      ["appendfsync", "everysec", "always"],
      ["aof-load-truncated", "yes", "no"],
      ["maxmemory-policy", "allkeys-lru", "noeviction"],
      ["maxmemory", "0", "three quarters of the memory"],
    ]);
    for (const { risk } of risks) expect(risk).toMatch(/^[A-Z].*\.$/);
    await bed.command(port, "CONFIG", "SET", "appendonly", "no");
    expect((await engine.risks())[0]).toMatchObject({ setting: "appendonly", found: "no", recommended: "yes" });
  });

  it("are unknown where it is forbidden to look", async () => {
    const { port } = await bed.start();
    await bed.command(port, "ACL", "SETUSER", "default", "-config");
    const risks = await (await bed.engine(port)).risks();
    expect(risks.map(({ found }) => found)).toEqual(Array.from({ length: 5 }, () => "unknown"));
  });

  it("tell of replicas, which may take over without all that was acknowledged", async () => {
    const { port } = await bed.start({ settings: { maxmemory: "100mb", "repl-diskless-sync-delay": "0" } });
    await bed.start({ settings: { replicaof: `127.0.0.1 ${port}` } });
    const engine = await bed.engine(port);
    await until(async () => (await engine.risks()).length > 0);
    expect(await engine.risks()).toMatchObject([{ setting: "replicas", found: "1" }]);
  });
});

/** For tests that need a Redis of their own. */
import { spawnSync } from "node:child_process";

export const isRedisInstalled = ["redis-server", "valkey-server"].some(
  (program) => spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0,
);

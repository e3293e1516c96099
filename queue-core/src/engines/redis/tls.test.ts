/** `rediss://`: the whole engine over TLS, with the server's certificate checked. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasRedis, redisTitle } from "../../../conformance/redis-bed.ts";
import { type PrivateRedis, startPrivateRedis } from "./private-redis.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
/** The certificates that a process trusts are set at its start, so the engine is opened in one of its own. */
const child = fileURLToPath(new URL("./tls-child.ts", import.meta.url));

function certify(folder: string): boolean {
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  const made = spawnSync("openssl", [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    ...subject,
    ...files,
  ]);
  return made.status === 0;
}

function run(url: string, trusted: string | undefined) {
  const env = { ...process.env, REDIS_ADDRESS: url, NODE_EXTRA_CA_CERTS: trusted };
  const { status, stdout } = spawnSync(process.execPath, [child], { encoding: "utf8", env, timeout: 30_000 });
  return { status, told: stdout.trim() };
}

describe.runIf(hasRedis && hasOpenssl)(`TLS to ${redisTitle}`, () => {
  let folder = "";
  let redis: PrivateRedis | undefined;
  let address = "";
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "redis-tls-"));
    expect(certify(folder)).toBe(true);
    const tls = { "tls-cert-file": join(folder, "cert.pem"), "tls-key-file": join(folder, "key.pem") };
    // Beside the plain port, by which it is started and stopped.
    for (let tries = 0; redis === undefined && tries < 5; tries++) {
      const port = 20_000 + ((process.pid * 7 + tries * 101) % 30_000);
      const settings = { ...tls, "tls-port": String(port), "tls-auth-clients": "no" };
      redis = await startPrivateRedis({ settings }).catch(() => undefined);
      address = `localhost:${port}`;
    }
  });
  afterAll(async () => {
    await redis?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("publishes and reads over it, where the certificate is trusted", () => {
    expect(run(`rediss://${address}`, join(folder, "cert.pem"))).toEqual({ status: 0, told: "read: over TLS" });
  });

  it("refuses a server whose certificate nobody vouches for, and says so", () => {
    const { status, told } = run(`rediss://${address}`, undefined);
    expect(status).toBe(0);
    expect(told).toMatch(/^UNREACHABLE: Redis at localhost:\d+ cannot be used: self-signed certificate/);
  });
});

/**
 * What a load test runs against: the system at BASE_URL, or one started for it on a folder of its own and removed
 * afterwards.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { startSystem } from "@plateau/demo";

export interface Target {
  readonly url: string;
  readonly adminToken: string;
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL("..", import.meta.url));

/** Throws an error of one line where the system cannot be reached or started. */
export async function openTarget(env: NodeJS.ProcessEnv): Promise<Target> {
  const url = env.BASE_URL?.replace(/\/$/, "");
  if (url === undefined) return startOwn();
  const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
  if (answer?.ok !== true) throw new Error(`nothing answers at BASE_URL ${url}`);
  return {
    url,
    adminToken: env.ADMIN_TOKEN ?? keptToken(resolve(root, env.DATA_DIR ?? ".data")),
    stop: async () => {},
  };
}

async function startOwn(): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), "plateau-load-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  console.log("BASE_URL is not set: starting a system for this run");
  try {
    const system = await startSystem({
      dataDir: join(folder, "data"),
      storefront: false,
      crowd: false,
      logLevel: "warn",
      logFile: join(folder, "system.log"),
    });
    return {
      url: system.url,
      adminToken: system.adminToken,
      async stop() {
        await system.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function keptToken(dataDir: string): string {
  try {
    return (JSON.parse(readFileSync(join(dataDir, "secrets.json"), "utf8")) as { adminToken: string }).adminToken;
  } catch {
    throw new Error(`set ADMIN_TOKEN: there is none kept in ${dataDir}`);
  }
}

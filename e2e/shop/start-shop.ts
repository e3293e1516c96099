/** Starts the system that the specs walk through, and stops it after them. No crowd: what is sold, a spec sold. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSystem } from "@plateau/demo";

export default async function startShop(): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), "plateau shop "));
  const system = await startSystem({
    dataDir,
    port: 0,
    storefront: true,
    crowd: false,
    logFile: join(dataDir, "system.log"),
    logLevel: "warn",
  });
  process.env.SHOP_URL = system.url;
  process.env.SHOP_ADMIN_TOKEN = system.adminToken;
  return async () => {
    await system.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
}

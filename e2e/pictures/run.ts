/**
 * `npm run docs:pictures`: takes the pictures in docs/pictures anew, of a system of its own, driven by a browser.
 * `-- ops` takes those of one scene.
 *
 * What can go wrong: a scene does not come to its moment; then nothing is written, and the old pictures stay. A picture
 * that would weigh too much in a clone is refused.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startSystem } from "@plateau/demo";
import { chromium } from "@playwright/test";
import { chromiumLaunch } from "../runner/chromium.ts";
import { fourWays, frontPage, type Pictures, purchase, type Stage, spike } from "./scenes.ts";
import { StagedShop } from "./staged-shop.ts";

const folder = fileURLToPath(new URL("../../docs/pictures", import.meta.url));
const pictureMaxBytes = 300_000;

const scenes = { shop: frontPage, purchase, ops: spike, "four-ways": fourWays } as const;

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in scenes));
if (unknown !== undefined) {
  console.error(`no such scene: ${unknown}; there are ${Object.keys(scenes).join(", ")}`);
  process.exit(1);
}

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "disconnect"] as const) process.on(signal, () => stopping.abort());
process.channel?.unref();

const dataDir = mkdtempSync(join(tmpdir(), "plateau pictures "));
try {
  write(await takeAll());
} catch (error) {
  console.error(stopping.signal.aborted ? "stopped; no picture was changed" : error);
  process.exitCode = 1;
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
process.exit();

async function takeAll(): Promise<Pictures> {
  const system = await startSystem({
    dataDir,
    port: 0,
    storefront: true,
    crowd: false,
    logFile: join(dataDir, "system.log"),
    logLevel: "warn",
    signal: stopping.signal,
  });
  const browser = await chromium.launch(chromiumLaunch());
  stopping.signal.addEventListener("abort", () => void browser.close());
  try {
    const stage: Stage = { browser, shop: new StagedShop(system), pictures: new Map() };
    await stage.shop.fill();
    for (const [name, take] of Object.entries(scenes)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      console.log(`${name}…`);
      await take(stage);
    }
    return stage.pictures;
  } finally {
    await browser.close();
    await system.stop();
  }
}

function write(pictures: Pictures): void {
  const heavy = [...pictures].find(([, png]) => png.length > pictureMaxBytes);
  if (heavy !== undefined) throw new Error(`${heavy[0]} has ${heavy[1].length} bytes, more than ${pictureMaxBytes}`);
  for (const [name, png] of pictures) {
    writeFileSync(join(folder, name), png);
    console.log(`${name.padEnd(16)} ${Math.round(png.length / 1_000)} kB`);
  }
}

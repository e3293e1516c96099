/**
 * Builds the storefront into one folder that starts with `node .next/standalone/apps/storefront/server.js`
 * (`PORT`, `HOSTNAME`, `BACKEND_URL`). Needs no back end and no network.
 *
 * What can go wrong: the standalone server serves no styles unless the static files are copied beside it. It would also
 * compress each script anew for each visitor, and by gzip only; so they are compressed here, once, as small as they
 * get (next.config.ts sends these where a browser takes them: 133 kB instead of 156 on a first load).
 */
import { spawn } from "node:child_process";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress } from "node:zlib";

const here = new URL(".", import.meta.url);
const standalone = new URL(".next/standalone/apps/storefront/", here);
const nextCli = createRequire(import.meta.url).resolve("next/dist/bin/next");

const exitCode = await new Promise<number>((resolve, reject) => {
  const child = spawn(process.execPath, [nextCli, "build"], {
    cwd: fileURLToPath(here),
    stdio: "inherit",
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" },
  });
  child.on("error", reject);
  child.on("exit", (code) => resolve(code ?? 1));
});
if (exitCode !== 0) process.exit(exitCode);

await rm(new URL(".next/static", standalone), { recursive: true, force: true });
await cp(new URL(".next/static", here), new URL(".next/static", standalone), { recursive: true });

const chunks = new URL(".next/static/chunks/", standalone);
const compressed = promisify(brotliCompress);
for (const name of await readdir(chunks)) {
  if (!/\.(js|css)$/.test(name)) continue;
  await writeFile(new URL(`${name}.br`, chunks), await compressed(await readFile(new URL(name, chunks))));
}

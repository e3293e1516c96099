/**
 * `pages`: Lighthouse on the pages that a shopper walks through, mobile profile (a slow phone on slow 4G, simulated),
 * production build, the machine's own Chromium. A row for each page: its lowest category, then layout shift and the
 * compressed script of a first load over all pages.
 *
 * What can go wrong: a busy machine lowers "performance" alone, so the median of the rounds counts, and what else runs
 * here is stopped before. Lighthouse with what it brings is 176 MB: it is installed on first use, into `.tools`, and
 * not by everyone who clones. It downloads no browser.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Purchase, Sale } from "@plateau/domain";
import { runNpm } from "../../apps/demo/bin/npm.mjs";
import { type System, startSystem } from "../../apps/demo/src/system.ts";
import type { BenchOptions } from "../../queue-core/bench/row.ts";
import { type BenchRow, median } from "./table.ts";

const version = "13.5.0";
const scoreBar = 95;
const scriptBarKb = 150;
const root = fileURLToPath(new URL("../..", import.meta.url));
const tools = join(root, ".tools");
const folder = join(tools, `lighthouse-${version}`);
const cli = join(folder, "node_modules", "lighthouse", "cli", "index.js");
const chromiums = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

interface Shown {
  /** 0 to 100, the median over the rounds. */
  readonly scores: Readonly<Record<string, number>>;
  readonly layoutShift: number;
  readonly scriptKb: number;
}

interface Report {
  readonly categories: Readonly<Record<string, { readonly score: number | null }>>;
  readonly audits: {
    readonly "cumulative-layout-shift": { readonly numericValue: number };
    readonly "network-requests": {
      readonly details: {
        readonly items: readonly { readonly resourceType?: string; readonly transferSize: number }[];
      };
    };
  };
}

export async function benchPages({ rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  const chromium = process.env.CHROMIUM_PATH ?? chromiums.find((path) => existsSync(path));
  if (chromium === undefined) {
    console.log("no Chromium was found (CHROMIUM_PATH): pages is left out");
    return [];
  }
  await installLighthouse();
  const dataDir = await mkdtemp(join(tmpdir(), "plateau-bench-"));
  const system = await startSystem({ dataDir, storefront: true, crowd: false, logLevel: "warn" });
  try {
    const { pages, cookie } = await aWalk(system);
    const shown: [string, Shown][] = [];
    for (const [name, path] of Object.entries(pages)) {
      const reports: Report[] = [];
      for (let round = 0; round < rounds; round++) {
        reports.push(await examine({ url: new URL(path, system.url).href, cookie, chromium, dataDir }));
      }
      shown.push([name, summary(reports)]);
    }
    return rowsOf(shown, rounds);
  } finally {
    await system.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function installLighthouse(): Promise<void> {
  if (existsSync(cli)) return;
  console.log(`installing Lighthouse ${version} into .tools (once)…`);
  const args = ["install", "--prefix", folder, "--no-save", "--ignore-scripts", `lighthouse@${version}`];
  const { ok, output } = await runNpm({ nodePath: process.execPath, args, folder: root, tools });
  if (!ok) throw new Error(`installing Lighthouse failed:\n${output}`);
}

/** One shopper with one paid order, on a sale that still runs. */
async function aWalk(system: System) {
  const send = async (path: string, body: unknown, headers: Record<string, string>) => {
    const response = await fetch(new URL(path, system.url), {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response;
  };
  const signedIn = await send("/api/session", {}, {});
  const cookie = signedIn.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
  const admin = { authorization: `Bearer ${system.adminToken}` };
  const opened = await send("/api/ops/sales", { productId: "enamel-kettle", stock: 50 }, admin);
  const sale = Sale.parse(await opened.json());
  const bought = await send(`/api/sales/${sale.id}/purchases`, {}, { cookie, prefer: "wait=20" });
  const { orderId } = Purchase.parse(await bought.json());
  const pages = {
    shop: "/",
    product: "/products/enamel-kettle",
    sale: `/sales/${sale.id}`,
    order: `/orders/${orderId}`,
  };
  return { pages, cookie };
}

async function examine(call: { url: string; cookie: string; chromium: string; dataDir: string }): Promise<Report> {
  const output = join(call.dataDir, "lighthouse.json");
  const flags = [
    "--quiet",
    "--output=json",
    `--output-path=${output}`,
    `--extra-headers=${JSON.stringify({ cookie: call.cookie })}`,
    "--chrome-flags=--headless=new --no-sandbox --disable-quic --disable-background-networking",
  ];
  const child = spawn(process.execPath, [cli, call.url, ...flags], {
    env: { ...process.env, CHROME_PATH: call.chromium },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString("utf8")).slice(-4_000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`Lighthouse on ${call.url} ended with ${code}:\n${complaint}`);
  return JSON.parse(await readFile(output, "utf8")) as Report;
}

function summary(reports: readonly Report[]): Shown {
  const [first] = reports;
  if (first === undefined) throw new Error("no round was run");
  const scores = Object.keys(first.categories).map((name) => {
    return [name, median(reports.map(({ categories }) => Math.round((categories[name]?.score ?? 0) * 100)))] as const;
  });
  const scriptBytes = ({ audits }: Report) =>
    audits["network-requests"].details.items
      .filter(({ resourceType }) => resourceType === "Script")
      .reduce((sum, { transferSize }) => sum + transferSize, 0);
  return {
    scores: Object.fromEntries(scores),
    layoutShift: Math.max(...reports.map(({ audits }) => audits["cumulative-layout-shift"].numericValue)),
    scriptKb: Math.max(...reports.map(scriptBytes)) / 1_000,
  };
}

function rowsOf(shown: readonly [string, Shown][], rounds: number): BenchRow[] {
  const pages = shown.map(([name, { scores, layoutShift, scriptKb }]): BenchRow => {
    const all = Object.entries(scores).map(([category, score]) => `${category} ${score}`);
    return {
      name: `pages: ${name}`,
      unit: "Lighthouse, lowest",
      ours: Math.min(...Object.values(scores)),
      rounds,
      bar: scoreBar,
      note: `${name}: ${all.join(", ")}; layout shift ${layoutShift.toFixed(3)}; ${scriptKb.toFixed(0)} kB of script`,
    };
  });
  const highest = (of: (one: Shown) => number) => Math.max(...shown.map(([, one]) => of(one)));
  return [
    ...pages,
    {
      name: "pages: layout shift",
      unit: "CLS, worst",
      ours: highest((one) => one.layoutShift),
      rounds,
      bar: 0.01,
      barIs: "at most",
    },
    {
      name: "pages: script",
      unit: "kB, most",
      ours: highest((one) => one.scriptKb),
      rounds,
      bar: scriptBarKb,
      barIs: "at most",
    },
  ];
}

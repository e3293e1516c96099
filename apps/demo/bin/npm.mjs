/**
 * Runs npm without a shell, whatever started us.
 *
 * What can go wrong: on Windows npm is a `.cmd` that only a shell starts, which breaks paths with spaces; npm's own
 * JavaScript file is run by this Node instead. Variables that an outer `npm run` leaves behind would point the inner
 * npm at the outer one's folders, and NODE_ENV=production would leave out what builds and tests need. A set-up killed
 * by force leaves its npm running, which the next one would fight with; it is noted down and ended first.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { identify, isAlive } from "./process-identity.mjs";

/**
 * Call it with the set-up lock held.
 * @param {{ nodePath: string, args: string[], folder: string, tools: string }} call `nodePath`: the Node that runs npm
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
export async function runNpm({ nodePath, args, folder, tools }) {
  const cli = findNpmCli();
  if (cli === undefined) return { ok: false, output: "npm was not found beside node or on the PATH" };
  const note = join(tools, "npm-process.json");
  await endLeftNpm(note);
  const result = await execute(nodePath, [cli, ...args], { folder, note });
  rmSync(note, { force: true });
  return result;
}

/** @param {string} note */
async function endLeftNpm(note) {
  if (!existsSync(note)) return;
  const [pid, started] = readFileSync(note, "utf8").split("\n");
  const left = { pid: Number(pid), started: started ?? "" };
  if (!(left.pid > 0)) return;
  if (isAlive(left)) process.kill(left.pid, "SIGKILL");
  while (isAlive(left)) await sleep(50);
}

/**
 * @param {string} nodePath
 * @param {string[]} args
 * @param {{ folder: string, note: string }} place
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
function execute(nodePath, args, { folder, note }) {
  const quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
  return new Promise((resolve) => {
    const child = spawn(nodePath, [...args, ...quiet], {
      cwd: folder,
      env: innerEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (child.pid !== undefined) writeFileSync(note, `${child.pid}\n${identify(child.pid).started}`);
    let output = "";
    const collect = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk.toString("utf8")).slice(-20_000);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", (error) => resolve({ ok: false, output: String(error) }));
    child.on("close", (code) => resolve({ ok: code === 0, output: output.trim() }));
  });
}

/** @returns {string | undefined} */
function findNpmCli() {
  const fromOuterNpm = process.env.npm_execpath;
  if (fromOuterNpm !== undefined && basename(fromOuterNpm) === "npm-cli.js" && existsSync(fromOuterNpm)) {
    return fromOuterNpm;
  }
  const beside = dirname(process.execPath);
  const candidates = [
    join(beside, "..", "lib", "node_modules", "npm", "bin", "npm-cli.js"),
    join(beside, "node_modules", "npm", "bin", "npm-cli.js"),
    ...(process.env.PATH ?? "").split(delimiter).flatMap((folder) => {
      const link = join(folder, "npm");
      return existsSync(link) ? [realpathSync(link), join(folder, "node_modules", "npm", "bin", "npm-cli.js")] : [];
    }),
  ];
  return candidates.find((path) => basename(path) === "npm-cli.js" && existsSync(path));
}

function innerEnvironment() {
  const outer = /^(npm_(lifecycle|package|execpath|command|node_execpath|config_local_prefix|config_prefix)|NODE_ENV$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !outer.test(name)));
}

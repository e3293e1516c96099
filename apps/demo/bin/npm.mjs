/**
 * Runs npm without a shell, whatever started us.
 *
 * What can go wrong: on Windows npm is a `.cmd` that only a shell starts, which breaks paths with spaces; npm's own
 * JavaScript file is run by this Node instead. Variables that an outer `npm run` leaves behind would point the inner
 * npm at the outer one's folders, and NODE_ENV=production would leave out what builds and tests need.
 */
import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";

/**
 * @param {string} nodePath The Node that runs npm.
 * @param {string[]} args
 * @param {string} folder
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
export function runNpm(nodePath, args, folder) {
  const cli = findNpmCli();
  if (cli === undefined) return Promise.resolve({ ok: false, output: "npm was not found beside node or on the PATH" });
  return new Promise((resolve) => {
    const child = spawn(
      nodePath,
      [cli, ...args, "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"],
      {
        cwd: folder,
        env: innerEnvironment(),
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
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

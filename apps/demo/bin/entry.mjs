/**
 * Sets up what is missing (Node, packages, database client), then runs a command in that Node and ends as it ends.
 *
 * Promises: several of these at once never work on the same installation (a lock); what is complete is not touched,
 * so a start with nothing missing costs a few file reads and needs no writable checkout.
 * What can go wrong: a terminal's Ctrl-C reaches this process and its child; only the child decides when to end, this
 * one waits for it. If this one is killed the child notices by its closed channel.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findNode, installNode } from "./node-runtime.mjs";
import { waitForLock } from "./owner-lock.mjs";
import { installPackages, packagesAreInstalled } from "./packages.mjs";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const tools = join(root, ".tools");

/** What each npm script runs, relative to the root. */
const commands = /** @type {Record<string, string[]>} */ ({
  setup: [],
  demo: ["apps/demo/src/main.ts"],
  cluster: ["apps/demo/src/cluster.ts"],
  test: ["e2e/run.ts"],
  "test:deep": ["e2e/run.ts", "--deep"],
  check: ["e2e/run.ts", "--fast"],
  load: ["load-tests/run.ts"],
  bench: ["load-tests/bench/run.ts"],
  audit: ["apps/demo/src/audit.ts"],
  chaos: ["e2e/chaos/run.ts"],
  simulate: ["queue-core/simulation/main.ts"],
  queue: ["apps/demo/src/queue.ts"],
  lab: ["apps/demo/src/lab.ts"],
  "docs:pictures": ["e2e/pictures/run.ts"],
});

/** @param {string[]} argv */
export async function enter([name = "", ...args]) {
  const command = commands[name];
  if (command === undefined)
    fail(`no such command: ${name || "(none)"}; there are ${Object.keys(commands).join(", ")}`);
  try {
    const nodePath = await setUp();
    if (command.length === 0) return;
    process.exitCode = await run(nodePath, [...command, ...args]);
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}

/** @returns {Promise<string>} the path of the Node to run everything in */
async function setUp() {
  const found = findNode(tools);
  if (found !== undefined && packagesAreInstalled(root) && clientIsGenerated()) return found;
  mustBeWritable();
  mkdirSync(tools, { recursive: true });
  const release = await waitForLock(join(tools, "set-up.lock"), (pid) => {
    console.log(`waiting for the set-up that process ${pid} is doing…`);
  });
  try {
    const nodePath = await installNode(tools);
    await installPackages({ root, tools, nodePath });
    await generateClient(nodePath);
    return nodePath;
  } finally {
    release();
  }
}

function mustBeWritable() {
  try {
    accessSync(root, constants.W_OK);
  } catch {
    throw new Error(`the set-up is not complete and this user may not write to ${root}`);
  }
}

const clientStamp = join(root, "prisma", "generated", ".set-up-from");

function clientDigest() {
  const hash = createHash("sha256");
  for (const source of ["package-lock.json", "prisma/schema.prisma", "prisma/src/generate.ts"]) {
    hash.update(readFileSync(join(root, source)));
  }
  return hash.digest("hex");
}

function clientIsGenerated() {
  return existsSync(clientStamp) && readFileSync(clientStamp, "utf8") === clientDigest();
}

/** @param {string} nodePath */
async function generateClient(nodePath) {
  if (clientIsGenerated()) return;
  const digest = clientDigest();
  const child = spawn(nodePath, [...quiet, "prisma/src/generate.ts"], { cwd: root, env: environment(nodePath) });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (/** @type {Buffer} */ chunk) => {
      output += chunk.toString("utf8");
    });
  }
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== 0) throw new Error(`generating the database client failed:\n${output}`);
  writeFileSync(clientStamp, digest);
}

/** Type stripping and node:sqlite are announced as experimental by the Nodes that we accept. */
const quiet = ["--disable-warning=ExperimentalWarning"];

/**
 * @param {string} nodePath
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
function run(nodePath, args) {
  const child = spawn(nodePath, [...quiet, join(root, /** @type {string} */ (args[0])), ...args.slice(1)], {
    cwd: root,
    env: environment(nodePath),
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]))
    process.on(signal, () => child.kill(signal));
  if (process.env.npm_lifecycle_event !== undefined) whenOrphaned(() => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 1 : osConstants.signals[signal])));
  });
}

/**
 * A signal sent to npm reaches the shell between npm and this process, and ends there: npm is gone, this process goes
 * on under another parent. It then stops as if the signal had come.
 * @param {() => void} stop
 */
function whenOrphaned(stop) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, 100);
  watch.unref();
}

/**
 * The chosen Node and the repository's own commands come first on the PATH of every child.
 * @param {string} nodePath
 */
function environment(nodePath) {
  /** @type {NodeJS.ProcessEnv} */
  const env = { NODE_COMPILE_CACHE: join(tools, "compile-cache"), ...process.env };
  const pathName = Object.keys(env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
  env[pathName] = [dirname(nodePath), join(root, "node_modules", ".bin"), env[pathName]]
    .filter(Boolean)
    .join(delimiter);
  delete env.NODE_ENV;
  return env;
}

/** @param {string} line @returns {never} */
function fail(line) {
  console.error(line);
  process.exit(1);
}

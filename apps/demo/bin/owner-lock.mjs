/**
 * One owner at a time, by a file that names the owning process.
 *
 * Promises: two takers never both succeed, and a lock whose owner was killed, even by `kill -9`, is taken over.
 * What can go wrong: between reading a dead owner's lock and removing it, somebody else may have taken it over.
 * The file is therefore moved aside first and put back if it turns out to be a live one; an owner that finds
 * another's name in its own lock after that does not own it.
 */
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { identify, isAlive } from "./process-identity.mjs";

/** A file being written is empty for an instant; one that stays empty lost its writer. */
const emptyForMs = 2_000;

/**
 * @typedef {{ taken: true, release: () => void } | { taken: false, pid: number }} LockAttempt
 */

/** @param {string} path Its folder must exist and be writable. @returns {LockAttempt} */
export function takeLock(path) {
  const mine = JSON.stringify(identify());
  for (;;) {
    try {
      writeFileSync(path, mine, { flag: "wx", mode: 0o644 });
      if (readOrEmpty(path) === mine) return { taken: true, release: () => releaseLock(path, mine) };
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    }
    const content = readOrEmpty(path);
    const owner = parseOwner(content);
    if (owner === undefined ? isFresh(path) : isAlive(owner)) return { taken: false, pid: owner?.pid ?? 0 };
    setAside(path, content);
  }
}

/**
 * Waits until the lock is free.
 * @param {string} path
 * @param {(pid: number) => void} onWait Called once, when somebody else holds it.
 * @returns {Promise<() => void>} the release
 */
export async function waitForLock(path, onWait) {
  let told = false;
  for (;;) {
    const attempt = takeLock(path);
    if (attempt.taken) return attempt.release;
    if (!told && attempt.pid !== 0) {
      told = true;
      onWait(attempt.pid);
    }
    await sleep(200);
  }
}

/** @param {string} path @param {string} mine */
function releaseLock(path, mine) {
  if (readOrEmpty(path) === mine) rmSync(path, { force: true });
}

/** @param {string} path @param {string} dead */
function setAside(path, dead) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return;
    throw error;
  }
  if (readOrEmpty(aside) !== dead) putBack(aside, path);
  rmSync(aside, { force: true });
}

/** @param {string} aside @param {string} path */
function putBack(aside, path) {
  try {
    linkSync(aside, path);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
  }
}

/** @param {string} path */
function readOrEmpty(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return "";
    throw error;
  }
}

/** @param {string} path */
function isFresh(path) {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < emptyForMs;
}

/** @param {string} content @returns {import("./process-identity.mjs").ProcessIdentity | undefined} */
function parseOwner(content) {
  try {
    const { pid, started } = JSON.parse(content);
    return Number.isInteger(pid) && typeof started === "string" ? { pid, started } : undefined;
  } catch {
    return undefined;
  }
}

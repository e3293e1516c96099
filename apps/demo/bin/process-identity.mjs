/**
 * Tells one process from a later one with the same pid.
 *
 * What can go wrong: pids are reused, also over a reboot; a killed process whose parent never reaps it (a zombie)
 * still answers to signal 0. On Linux the start time and the boot are compared and zombies count as dead; on macOS
 * the start time as `ps` prints it; elsewhere the pid alone, which may take a stranger for the owner, never the
 * other way round.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * @typedef {object} ProcessIdentity
 * @property {number} pid
 * @property {string} started Opaque; equal for the same process, different after the pid was reused. "" if unknown.
 */

/** @param {number} [pid] @returns {ProcessIdentity} */
export function identify(pid = process.pid) {
  return { pid, started: startOf(pid) ?? "" };
}

/** @param {ProcessIdentity} identity @returns {boolean} */
export function isAlive(identity) {
  if (!answersToSignals(identity.pid)) return false;
  const started = startOf(identity.pid);
  return started === undefined ? false : started === identity.started;
}

/** @param {number} pid */
function answersToSignals(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}

/** @param {number} pid @returns {string | undefined} undefined where the process is gone or a zombie */
function startOf(pid) {
  if (process.platform === "linux") return startOnLinux(pid);
  if (process.platform !== "darwin") return "";
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function startOnLinux(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name, in brackets, may hold spaces and brackets itself; what follows the last one is regular.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}:${fields[19]}`;
  } catch {
    return undefined;
  }
}

/**
 * What to do about a `postmaster.pid` found at start, by who lives under the pid in it. The caller owns the folder.
 *
 * | pid in the file            | what is done                                                            |
 * |----------------------------|-------------------------------------------------------------------------|
 * | nobody                     | nothing: PostgreSQL checks that no orphan still uses its memory, itself |
 * | a zombie (killed, its      | the file is removed, for PostgreSQL would take the zombie for alive; it |
 * | parent takes no note)      | still checks its memory, by the folder                                  |
 * | PostgreSQL of this folder  | an orphan of a killed supervisor: stopped, by force after 5 s           |
 * | anybody else               | never touched; the file is stale and removed                            |
 */
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const patienceMs = 5_000;

export type PostmasterFound = "none" | "dead" | "zombie" | "orphan stopped" | "foreign";

/** Resolves when a new PostgreSQL may be started on `folder`, with what was found. */
export async function clearPostmasterFile(folder: string): Promise<PostmasterFound> {
  const path = join(folder, "postmaster.pid");
  const pid = readPid(path);
  if (pid === undefined) return "none";
  const command = commandOf(pid);
  if (command === undefined) return "dead";
  if (command === "" || !command.includes(folder)) {
    rmSync(path, { force: true });
    return command === "" ? "zombie" : "foreign";
  }
  // SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one, after which it recovers from its log.
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    process.kill(pid, signal);
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += 50) {
      const left = commandOf(pid);
      if (left === "") rmSync(path, { force: true });
      if (left === "" || left === undefined) return "orphan stopped";
      await sleep(50);
    }
  }
  throw new Error(`PostgreSQL (process ${pid}) on ${folder} cannot be stopped`);
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, "utf8").split("\n")[0]);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The command line of a process; "" for a zombie, which has none left; undefined where there is no such process. */
function commandOf(pid: number): string | undefined {
  if (process.platform === "win32") return undefined;
  try {
    const command =
      process.platform === "linux"
        ? readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
        : execFileSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
    return command.trim() === "" || command.includes("<defunct>") ? "" : command;
  } catch {
    return undefined;
  }
}

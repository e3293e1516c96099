/**
 * PostgreSQL refuses to run as root. Started by root, it runs as the owner of its folder, else as the user
 * `postgres`, else as `nobody`.
 *
 * What can go wrong: that user cannot reach a checkout below a closed folder such as /root. It is then given the one
 * capability that passes closed folders (util-linux `setpriv`; also for access(2), hence the secure bit); nothing on
 * the machine is changed, no user is made and no folder opened.
 */
import { chownSync, readFileSync, statSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";

/** How to start a program without root's identity; `{}` and no prefix where we are not root. */
export interface UnprivilegedStart {
  readonly command: (program: string, args: readonly string[]) => { file: string; args: string[] };
  readonly spawnOptions: { uid?: number; gid?: number };
  /** Gives a file or folder to the user that the program runs as. */
  readonly handOver: (path: string) => void;
}

/** `reaches` are the paths which the program must be able to open. */
export function unprivilegedStart(folder: string, reaches: readonly string[]): UnprivilegedStart {
  const asIs = { command: (file: string, args: readonly string[]) => ({ file, args: [...args] }) };
  if (process.getuid?.() !== 0) return { ...asIs, spawnOptions: {}, handOver: () => undefined };
  const { uid, gid } = ownerOf(folder) ?? userNamed("postgres") ?? userNamed("nobody") ?? { uid: 65534, gid: 65534 };
  const handOver = (path: string): void => chownSync(path, uid, gid);
  if ([folder, ...reaches].every(isOpenToAll)) return { ...asIs, spawnOptions: { uid, gid }, handOver };
  const setpriv = findOnPath("setpriv");
  if (setpriv === undefined) {
    throw new Error(
      `PostgreSQL does not run as root, and user ${uid} cannot reach ${folder}: start as an ordinary user, or keep the checkout and DATA_DIR in a folder that every user may enter`,
    );
  }
  const identity = ["--reuid", String(uid), "--regid", String(gid), "--clear-groups"];
  const caps = ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override", "--securebits=+no_setuid_fixup"];
  return {
    command: (file, args) => ({ file: setpriv, args: [...identity, ...caps, file, ...args] }),
    spawnOptions: {},
    handOver,
  };
}

function ownerOf(folder: string): { uid: number; gid: number } | undefined {
  const stat = statSync(folder, { throwIfNoEntry: false });
  return stat === undefined || stat.uid === 0 ? undefined : { uid: stat.uid, gid: stat.gid };
}

function userNamed(name: string): { uid: number; gid: number } | undefined {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(":") ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/** Whether everybody may pass every folder on the way. */
function isOpenToAll(path: string): boolean {
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    const stat = statSync(folder, { throwIfNoEntry: false });
    if (stat !== undefined && (stat.mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

function findOnPath(program: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .concat("/usr/bin", "/bin")
    .map((folder) => join(folder, program))
    .find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

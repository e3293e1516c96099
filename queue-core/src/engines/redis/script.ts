/**
 * The one script, in two forms, for Redis looks at memory before it runs a script and not inside it.
 *
 * `strict` is refused with OOM, whole and before its first command, where memory is full; `draining` runs all the
 * same. Calls with a publish from outside use the one, all others the other.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export interface Script {
  readonly source: string;
  readonly sha: string;
}

const body = readFileSync(new URL("./call.lua", import.meta.url), "utf8");

export const strict = scriptOf(`#!lua\n${body}`);
export const draining = scriptOf(`#!lua flags=allow-oom\n${body}`);

function scriptOf(source: string): Script {
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}

/** The habits that no linter checks. A file over 400 lines says in its header why: a line `Length: …`. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\0")
  .filter((path) => path !== "");
const sources = tracked.filter((path) => /\.(ts|tsx|mjs|cjs)$/.test(path));
const linesMax = 400;

function read(path: string): string {
  return readFileSync(`${root}/${path}`, "utf8");
}

describe("source files", () => {
  it("are found", () => {
    expect(sources.length).toBeGreaterThan(200);
  });

  it(`have at most ${linesMax} lines, or say in their header why not`, () => {
    const long = sources.filter((path) => {
      const text = read(path);
      const header = text.slice(0, text.indexOf("*/") + 1);
      return text.split("\n").length - 1 > linesMax && !/Length: \S/.test(header);
    });
    expect(long).toEqual([]);
  });

  it("have names that say what is in them", () => {
    const empty = /^(utils?|helpers?|common|misc|manager|data|info)$/i;
    expect(sources.filter((path) => empty.test(basename(path, extname(path)).replace(/\.test$/, "")))).toEqual([]);
  });

  it("hold no work left for later", () => {
    // Put together here, so that this file does not find itself.
    const marks = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|")})\\b`);
    expect(sources.filter((path) => marks.test(read(path)))).toEqual([]);
  });
});

describe("the top level", () => {
  it("holds the workspaces, the documents and three files; everything else is a dot file", () => {
    const visible = readdirSync(root).filter((name) => !name.startsWith(".") && name !== "node_modules");
    const tops = new Set(tracked.map((path) => path.split("/")[0]));
    const expected = ["README.md", "apps", "docs", "e2e", "load-tests", "package-lock.json", "package.json", "prisma"];
    expect(visible.filter((name) => tops.has(name)).sort()).toEqual(
      [...expected, "queue-core", "tsconfig.json"].sort(),
    );
  });
});

/**
 * What the documents point at exists: files, symbols in code, npm commands. A guided reading also keeps its promise
 * of length.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

function markdownBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !name.includes("node_modules"))
    .map((name) => join(folder, name));
}

interface Link {
  readonly document: string;
  /** Relative to the repository. */
  readonly file: string;
  readonly symbol: string | undefined;
}

function linksOf(document: string): Link[] {
  const text = readFileSync(join(root, document), "utf8");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] as string)
    .filter((target) => !/^[a-z]+:/i.test(target))
    .map((target) => {
      const [path = "", symbol] = target.split("#");
      const file = path === "" ? document : relative(root, resolve(root, dirname(document), path));
      return { document, file, symbol };
    });
}

const declares = (source: string, symbol: string): boolean =>
  new RegExp(`\\b(function|class|const|let|interface|type|enum|model)\\s+${symbol}\\b`).test(source) ||
  new RegExp(`^\\s+(async\\s+|static\\s+|get\\s+)*#?${symbol}(<[^(]*>)?\\(`, "m").test(source);

const headings = (source: string): string[] =>
  [...source.matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] as string)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s-]/gu, "")
      .trim()
      .replaceAll(/\s+/g, "-"),
  );

const documents = ["README.md", "queue-core/README.md", ...markdownBelow("docs")];

describe.each(documents)("%s", (document) => {
  it("links only to files and symbols that are there", () => {
    const broken = linksOf(document).filter(({ file, symbol }) => {
      const path = join(root, file);
      if (!existsSync(path)) return true;
      if (symbol === undefined || statSync(path).isDirectory()) return false;
      const source = readFileSync(path, "utf8");
      return file.endsWith(".md") ? !headings(source).includes(symbol) : !declares(source, symbol);
    });
    expect(broken).toEqual([]);
  });

  it("quotes only tests that are there", () => {
    const text = readFileSync(join(root, document), "utf8");
    const quoted = [...text.matchAll(/\]\(([^)\s]+\.(?:test|spec)\.ts)\) "([^"]+)"/g)];
    const missing = quoted.filter(([, file = "", name = ""]) => {
      return !readFileSync(resolve(root, dirname(document), file), "utf8").includes(name);
    });
    expect(missing.map(([whole]) => whole)).toEqual([]);
  });

  it("names only npm commands that exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
    const text = readFileSync(join(root, document), "utf8");
    const named = [...text.matchAll(/npm run ([a-z:-]+)/g)].map((match) => match[1] as string);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

it("the reading of one purchase takes at most 8 files and 1,200 lines", () => {
  const files = new Set(
    linksOf("docs/reading/purchase.md")
      .filter(({ symbol }) => symbol !== undefined)
      .map(({ file }) => file),
  );
  const lines = [...files].map((file) => readFileSync(join(root, file), "utf8").split("\n").length);
  expect(files.size).toBeGreaterThan(3);
  expect(files.size).toBeLessThanOrEqual(8);
  expect(lines.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(1_200);
});

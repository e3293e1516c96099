/**
 * What a full test run wants besides Node: a Chromium, k6, Redis (or Valkey) and, on Linux, strace. Used as found;
 * installed only where that is allowed (as root on Debian or Ubuntu, or with `--install`), after saying so.
 *
 * What can go wrong: an installation fails, or succeeds without giving a program that runs; either way the tool
 * counts as missing, with the line that a person would type.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { chromium as playwrightChromium } from "@playwright/test";
import { root } from "./run-step.ts";

interface Tool {
  readonly path: string | undefined;
  /** Why it is not there and the line that would install it; undefined where it is there. */
  readonly missing: string | undefined;
}

export interface Tools {
  readonly chromium: Tool;
  readonly k6: Tool;
  readonly redis: Tool;
  readonly strace: Tool;
  /** For the steps that use them: their places, and the PATH with them on it. */
  readonly env: Readonly<Record<string, string>>;
}

const k6Version = "v1.8.1";
const toolsFolder = join(root, ".tools", "bin");

export async function findTools({ install }: { install: boolean }): Promise<Tools> {
  const mayInstall = install || (process.getuid?.() === 0 && isDebianLike());
  const chromium = findOrInstall(findChromium, mayInstall, {
    what: "Chromium",
    command: isDebianLike()
      ? `${sudo()}apt-get install -y --no-install-recommends chromium`
      : "npx playwright install chromium",
    before: isDebianLike() ? `${sudo()}apt-get update -qq` : undefined,
  });
  const k6 = findOrInstall(findK6, mayInstall && goIsNewEnough(), {
    what: "k6",
    command: `go install go.k6.io/k6@${k6Version}`,
    before: undefined,
  });
  const redis = findOrInstall(findRedis, mayInstall && isDebianLike(), {
    what: "Redis (redis-server or valkey-server)",
    command: isDebianLike()
      ? `${sudo()}apt-get install -y --no-install-recommends redis-server`
      : "your package manager's redis or valkey",
    before: isDebianLike() ? `${sudo()}apt-get update -qq` : undefined,
  });
  const strace = findOrInstall(findStrace, mayInstall && isDebianLike(), {
    what: "strace (that is allowed to trace)",
    command: `${sudo()}apt-get install -y --no-install-recommends strace`,
    before: isDebianLike() ? `${sudo()}apt-get update -qq` : undefined,
  });
  const folders = [toolsFolder, ...[chromium.path, k6.path].filter((path) => path !== undefined).map(dirname)];
  return {
    chromium,
    k6,
    redis,
    strace,
    env: {
      PATH: [process.env.PATH, ...folders].join(delimiter),
      ...(chromium.path === undefined ? {} : { CHROMIUM_PATH: chromium.path }),
      ...(k6.path === undefined ? {} : { K6_PATH: k6.path }),
      ...(strace.path === undefined ? {} : { STRACE_PATH: strace.path }),
    },
  };
}

interface Installation {
  readonly what: string;
  readonly command: string;
  readonly before: string | undefined;
}

function findOrInstall(find: () => string | undefined, mayInstall: boolean, installation: Installation): Tool {
  const { what, command, before } = installation;
  const found = find();
  if (found !== undefined) return { path: found, missing: undefined };
  const missing = `${what} was not found; install it by: ${command}`;
  if (!mayInstall) return { path: undefined, missing };
  console.log(`${what} was not found; installing it: ${command}`);
  mkdirSync(toolsFolder, { recursive: true });
  for (const line of [before, command]) {
    if (line === undefined) continue;
    const [program = "", ...args] = line.split(" ");
    // RUNLEVEL: a server's package does not start its service; tests start servers of their own.
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1", GOBIN: toolsFolder };
    const run = spawnSync(program, args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    if (run.status !== 0) console.log(`${line} failed:\n${run.stdout ?? ""}${run.stderr ?? run.error?.message ?? ""}`);
  }
  const installed = find();
  return { path: installed, missing: installed === undefined ? missing : undefined };
}

function findChromium(): string | undefined {
  const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
  const own = playwrightChromium.executablePath();
  const places = [process.env.CHROMIUM_PATH, ...names.map(onPath), existsSync(own) ? own : undefined];
  return places.find((path) => path !== undefined && path !== "" && answersVersion(path, "--version"));
}

function findK6(): string | undefined {
  const goBin = join(process.env.HOME ?? "", "go", "bin", "k6");
  const places = [process.env.K6_PATH, onPath("k6"), join(toolsFolder, "k6"), goBin];
  return places.find((path) => path !== undefined && existsSync(path) && answersVersion(path, "version"));
}

function findRedis(): string | undefined {
  return ["redis-server", "valkey-server"]
    .map(onPath)
    .find((path) => path !== undefined && answersVersion(path, "--version"));
}

/** A container may have it and forbid it to trace. */
function findStrace(): string | undefined {
  const path = onPath("strace");
  if (path === undefined) return undefined;
  const traced = spawnSync(path, ["-o", "/dev/null", "-e", "trace=none", "true"], { stdio: "ignore" });
  return traced.status === 0 ? path : undefined;
}

function onPath(name: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, process.platform === "win32" ? `${name}.exe` : name))
    .find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

function answersVersion(path: string, argument: string): boolean {
  return spawnSync(path, [argument], { stdio: "ignore", timeout: 20_000 }).status === 0;
}

function isDebianLike(): boolean {
  return (
    existsSync("/etc/os-release") && /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync("/etc/os-release", "utf8"))
  );
}

function sudo(): string {
  return process.getuid?.() === 0 ? "" : "sudo -n ";
}

/** k6 v1.8 needs Go 1.25. */
function goIsNewEnough(): boolean {
  try {
    const [, major = "0", minor = "0"] =
      /go(\d+)\.(\d+)/.exec(execFileSync("go", ["version"], { encoding: "utf8" })) ?? [];
    return Number(major) > 1 || Number(minor) >= 25;
  } catch {
    return false;
  }
}

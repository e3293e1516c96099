/** The steps of a run, in groups: those of one group run at once, groups one after the other. */
import { join } from "node:path";
import { root, type Step } from "./run-step.ts";
import type { Tools } from "./tools.ts";

/** The script behind a package's command, so that no shell stands between. They are all packages of the root. */
function script(packageName: string, path: string): string {
  return join(root, "node_modules", packageName, path);
}

/** What was found for unchanged files is kept from run to run. */
function typeCheck(project: string): readonly string[] {
  const kept = join(".tools", "types", `${project.replaceAll("/", "-")}.tsbuildinfo`);
  return [script("typescript", "bin/tsc"), "-p", project, "--noEmit", "--incremental", "--tsBuildInfoFile", kept];
}

const vitest = [script("vitest", "vitest.mjs"), "run", "--config", ".vitest.config.ts", "--reporter=dot"];

const style: Step = {
  name: "style",
  args: [script("@biomejs/biome", "bin/biome"), "check", "--error-on-warnings", "."],
};
const types: Step = { name: "types", args: typeCheck("tsconfig.json") };
const typesOfPages: Step = { name: "types of pages", args: typeCheck("apps/storefront/tsconfig.json") };
const typesOfLoadTests: Step = { name: "types of load", args: typeCheck("load-tests/tsconfig.json") };
const dependencies: Step = { name: "dependency rules", args: ["e2e/runner/dependency-rules.ts"] };
const deadCode: Step = { name: "dead code", args: [script("knip", "bin/knip.js"), "--no-progress"] };
const fastTests: Step = { name: "unit, conformance", args: [...vitest, "--project", "fast"] };
/** Before each commit: the suites run on the engines in this process, and on Redis with `npm test`. */
const fastTestsWithoutRedis: Step = { ...fastTests, name: "unit, but no Redis", env: { REDIS_TESTS: "off" } };

/** `fast` before each commit, `deep` before a release. */
export type Depth = "fast" | "usual" | "deep";

/** How much of what takes seeds is tried. */
const amounts = {
  usual: { simulationSeeds: 300, killRounds: 20, chaosSeeds: [5], chaosMinutes: 0.4 },
  deep: { simulationSeeds: 10_000, killRounds: 60, chaosSeeds: [1, 2, 3, 4, 5], chaosMinutes: 5 },
} as const;

export function stepsFor({ depth, tools }: { depth: Depth; tools: Tools | undefined }): readonly (readonly Step[])[] {
  const reading = [
    [style, types, typesOfPages],
    [typesOfLoadTests, dependencies, deadCode],
  ];
  if (depth === "fast" || tools === undefined) return [...reading, [fastTestsWithoutRedis]];
  const { simulationSeeds, killRounds, chaosSeeds, chaosMinutes } = amounts[depth];
  const { chromium, k6, redis, strace, env } = tools;
  const simulation: Step = {
    name: "simulation",
    args: ["queue-core/simulation/main.ts", "--seeds", String(simulationSeeds)],
    withinMs: depth === "deep" ? 60 * 60_000 : 10 * 60_000,
    streams: true,
  };
  const simulationTests: Step = { name: "simulation tests", args: [...vitest, "--project", "simulation"] };
  const apps: Step = {
    name: "apps, PostgreSQL",
    args: [...vitest, "--project", "apps"],
    env: { KILL_ROUNDS: String(killRounds) },
  };
  const faults: Step = {
    name: "disk faults",
    args: [...vitest, "--project", "faults"],
    env,
    missing: strace.missing,
    impossible: process.platform === "linux" ? undefined : "strace and tmpfs, which make a disk fail, are Linux's",
  };
  const processes: Step = { name: "set-up and stop", args: [...vitest, "--project", "process"], withinMs: 15 * 60_000 };
  const crash: Step = { name: "crash", args: ["e2e/crash/run.ts"], streams: true };
  const chaos = (["embedded", "processes"] as const).flatMap((profile) =>
    chaosSeeds.map(
      (seed): Step => ({
        name: `chaos, ${profile}`,
        args: ["e2e/chaos/run.ts", "--profile", profile, "--seed", String(seed), "--minutes", String(chaosMinutes)],
        streams: true,
        env,
        missing: profile === "processes" ? redis.missing : undefined,
      }),
    ),
  );
  const browser: Step = {
    name: "browser",
    args: [script("@playwright/test", "cli.js"), "test", "--config", "e2e/playwright.config.ts"],
    withinMs: 20 * 60_000,
    streams: true,
    env,
    missing: chromium.missing,
  };
  const load: Step = {
    name: "load smoke",
    args: ["load-tests/run.ts", "smoke"],
    streams: true,
    env,
    missing: k6.missing,
  };
  return [
    ...reading,
    [fastTests],
    [simulation],
    [simulationTests],
    [apps],
    [faults],
    [processes],
    [crash],
    ...chaos.map((step) => [step]),
    [browser],
    [load],
  ];
}

import { defineConfig } from "vitest/config";

/**
 * Five projects. `fast` is what `npm run check` runs before each commit: no database, no process of its own. `apps`
 * puts the apps on a real PostgreSQL and kills log engines. `simulation` searches seeds. `faults` makes a real disk
 * fail, on Linux. `process` starts whole demos. `npm test` runs all five.
 */
const never = ["**/node_modules/**", "**/.next/**", "**/.data/**", "**/.tools/**"];
const needsNoSystem = ["e2e/setup/{lock-file,style}.test.ts", "e2e/{docs,chaos}/*.test.ts"];
const needsDatabase = [
  "{prisma,apps/gateway,apps/consumers,apps/labs}/**/*.test.ts",
  "apps/demo/src/{four-ways-*,one-way}.test.ts",
];
const killsProcesses = [
  "queue-core/**/{kill,process}.test.ts",
  "queue-core/src/engines/redis/*.test.ts",
  "apps/sandbox/**/*.test.ts",
];
const failsDisks = ["queue-core/**/real-faults.test.ts"];
/** They look for the seed that shows a planted fault, or run many. */
const searchesSeeds = [
  "queue-core/simulation/{removed-guards,sale/planted-bugs}.test.ts",
  "apps/worker/src/simulation/*.test.ts",
];
const limits = { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 10_000 } } };

export default defineConfig({
  test: {
    passWithNoTests: false,
    projects: [
      {
        test: {
          name: "fast",
          include: ["{apps,queue-core,load-tests}/**/*.test.{ts,tsx}", ...needsNoSystem],
          exclude: [...never, ...needsDatabase, ...killsProcesses, ...failsDisks, ...searchesSeeds],
          // A process for each file costs more than most files' tests.
          pool: "threads",
          ...limits,
        },
      },
      {
        test: { name: "apps", include: [...needsDatabase, ...killsProcesses], exclude: never, ...limits },
      },
      {
        test: { name: "simulation", include: searchesSeeds, exclude: never, pool: "threads", ...limits },
      },
      {
        test: { name: "faults", include: failsDisks, exclude: never, ...limits },
      },
      {
        test: {
          name: "process",
          include: ["e2e/**/*.test.ts"],
          exclude: [...never, ...needsNoSystem],
          ...limits,
          testTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});

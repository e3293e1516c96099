import { defineConfig } from "vitest/config";

/**
 * Two projects: `fast` is what `npm run check` and every developer runs; `process` starts real processes (set-up,
 * supervisor, lock file) and takes minutes, so only `npm test` runs it.
 */
const never = ["**/node_modules/**", "**/.next/**", "**/.data/**", "**/.tools/**", "load-tests/k6/**"];
const readsFiles = ["e2e/setup/{lock-file,style}.test.ts"];

export default defineConfig({
  test: {
    passWithNoTests: false,
    projects: [
      {
        test: {
          name: "fast",
          include: ["{apps,queue-core,prisma,load-tests}/**/*.test.{ts,tsx}", ...readsFiles],
          exclude: never,
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: "process",
          include: ["e2e/**/*.test.ts"],
          exclude: [...never, ...readsFiles, "e2e/crash/**"],
          testTimeout: 300_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});

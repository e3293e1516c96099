/**
 * Playwright over the whole system: its own data folder, its own port, the Chromium that the machine has.
 *
 * What can go wrong: Playwright's own Chromium is missing; then `CHROMIUM_PATH` or the system's is taken. One worker:
 * the specs share one system, and what they measure is behaviour, never time.
 */
import { defineConfig } from "@playwright/test";
import { chromiumLaunch } from "./runner/chromium.ts";

export default defineConfig({
  testMatch: ["shop/*.spec.ts", "ops/*.spec.ts", "tour/*.spec.ts"],
  globalSetup: "./shop/start-shop.ts",
  outputDir: "test-results",
  reporter: "list",
  workers: 1,
  // A spec that needs its second try is reported as flaky, never as plainly passed.
  retries: 1,
  forbidOnly: process.env.CI === "true",
  timeout: 90_000,
  expect: { timeout: 30_000 },
  use: {
    trace: "retain-on-failure",
    launchOptions: chromiumLaunch(),
  },
  projects: [
    { name: "desktop", use: { viewport: { width: 1440, height: 900 } } },
    {
      name: "phone",
      // What they hold does not depend on the screen: who wins, how stock counts, what passes by.
      testIgnore: ["shop/{stock,states,one-purchase}.spec.ts", "ops/{live,control-room}.spec.ts"],
      use: {
        viewport: { width: 390, height: 844 },
        deviceScaleFactor: 2,
        isMobile: true,
        hasTouch: true,
        colorScheme: "dark",
      },
    },
  ],
});

/** How every browser here is started: Playwright's own Chromium if it is there, else the one that the machine has. */
import { existsSync } from "node:fs";
import { chromium, type LaunchOptions } from "@playwright/test";

const ofTheSystem = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** `CHROMIUM_PATH` comes before all of them. */
export function chromiumLaunch(): LaunchOptions {
  const executablePath =
    process.env.CHROMIUM_PATH ??
    (existsSync(chromium.executablePath()) ? undefined : ofTheSystem.find((path) => existsSync(path)));
  return {
    ...(executablePath === undefined ? {} : { executablePath }),
    args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
  };
}

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const module = fileURLToPath(new URL("./stand-back.ts", import.meta.url));

/** Its priority, and that of the session that it lives in. */
async function ofAProcess(options: { readonly detached: boolean }): Promise<{ nice: number; session: string }> {
  const script = `
    import { existsSync, readFileSync } from "node:fs";
    import { getPriority } from "node:os";
    const { standBack } = await import(${JSON.stringify(module)});
    standBack();
    const file = "/proc/self/autogroup";
    const session = () => (existsSync(file) ? readFileSync(file, "utf8") : "");
    const until = Date.now() + ${options.detached ? 5_000 : 0};
    while (!session().endsWith(" nice 5\\n") && Date.now() < until) await new Promise((turn) => setTimeout(turn, 10));
    console.log(JSON.stringify({ nice: getPriority(), session: session() }));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    ...options,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(await text(child.stdout)) as { nice: number; session: string };
}

const onLinux = process.platform === "linux";

test.runIf(onLinux)("a process stands back behind its neighbours in its session", async () => {
  expect((await ofAProcess({ detached: false })).nice).toBeGreaterThanOrEqual(5);
});

test.runIf(onLinux && existsSync("/proc/self/autogroup"))(
  "a process that is a session of its own stands back behind the other sessions; one among others slows nobody else's",
  async () => {
    expect((await ofAProcess({ detached: true })).session).toMatch(/ nice 5$/m);
    expect((await ofAProcess({ detached: false })).session).not.toMatch(/ nice 5$/m);
  },
);

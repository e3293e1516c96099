/** For tests: the sandbox as the process it is, since apps do not import each other. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../sandbox/src/main.ts", import.meta.url));

export interface Providers {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startProviders(): Promise<Providers> {
  const folder = await mkdtemp(join(tmpdir(), "plateau-sandbox-"));
  const env = { ...process.env, DATA_DIR: folder, PORT: "0", LOG_LEVEL: "error" };
  const child: ChildProcess = fork(main, { env, execArgv: [] });
  const [message] = (await once(child, "message")) as [{ ready: { url: string } }];
  return {
    url: message.ready.url,
    async stop() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

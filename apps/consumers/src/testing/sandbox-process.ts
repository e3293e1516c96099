/** The sandbox as the process it is, for tests: apps do not import each other. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../../sandbox/src/main.ts", import.meta.url));

export interface LedgerAuthorisation {
  readonly id: string;
  readonly reference: string;
  readonly amountCents: number;
  readonly status: "authorised" | "captured" | "voided";
}

export class SandboxProcess {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly url: string;

  private constructor(child: ChildProcess, folder: string, url: string) {
    this.#child = child;
    this.#folder = folder;
    this.url = url;
  }

  static async start(): Promise<SandboxProcess> {
    const folder = await mkdtemp(join(tmpdir(), "plateau-sandbox-"));
    const env = { ...process.env, DATA_DIR: folder, PORT: "0", LOG_LEVEL: "error" };
    const child = fork(main, { env, execArgv: [] });
    const [message] = (await once(child, "message")) as [{ ready: { url: string } }];
    return new SandboxProcess(child, folder, message.ready.url);
  }

  /** Replaces the faults of a provider; without latency and rate limit unless ordered. */
  async order(service: "payments" | "sms", faults: Record<string, number> = {}): Promise<void> {
    const response = await fetch(`${this.url}/faults/${service}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ latencyMs: 0, ratePerSecond: 0, ...faults }),
    });
    if (!response.ok) throw new Error(await response.text());
  }

  async authorisations(prefix: string): Promise<readonly LedgerAuthorisation[]> {
    const response = await fetch(`${this.url}/payments/authorisations?prefix=${encodeURIComponent(prefix)}`);
    return ((await response.json()) as { authorisations: LedgerAuthorisation[] }).authorisations;
  }

  async messages(
    prefix: string,
  ): Promise<readonly { readonly key: string; readonly text: string; readonly to: string }[]> {
    const response = await fetch(`${this.url}/sms?prefix=${encodeURIComponent(prefix)}`);
    return ((await response.json()) as { messages: { key: string; text: string; to: string }[] }).messages;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
    await rm(this.#folder, { recursive: true, force: true });
  }
}

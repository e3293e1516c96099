/** A bench's own child processes: started with an IPC channel, asked by messages, gone with it. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

export class BenchChild {
  readonly #process: ChildProcess;

  constructor(file: string, environment: Readonly<Record<string, string>> = {}) {
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), [], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
    });
  }

  /** The next message from the child; rejects when it ends first. */
  next<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const exited = (code: number | null): void => reject(new Error(`a bench process ended early (${code})`));
      this.#process.once("exit", exited);
      this.#process.once("message", (message) => {
        this.#process.off("exit", exited);
        resolve(message as T);
      });
    });
  }

  ask<T>(message: object): Promise<T> {
    const answer = this.next<T>();
    this.#process.send(message);
    return answer;
  }

  stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return Promise.resolve();
    const exited = new Promise<void>((resolve) => this.#process.once("exit", () => resolve()));
    this.#process.kill("SIGKILL");
    return exited;
  }
}

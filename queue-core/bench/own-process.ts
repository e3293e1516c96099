/**
 * Runs an exported function of a module in a process of its own, so that its memory and processor time are its own.
 *
 * What can go wrong: a child that throws or dies must fail the bench, not hang it.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What the host process is started with. */
export interface OwnProcessJob {
  readonly module: string;
  readonly name: string;
  readonly argument: unknown;
}

export type OwnProcessAnswer =
  | { readonly kind: "result"; readonly result: unknown }
  | { readonly kind: "error"; readonly message: string };

/** The function takes one argument and returns a promise; both are sent as structured clones. `gc` can be called. */
export function inOwnProcess<Result>(module: string, name: string, argument: unknown): Promise<Result> {
  const host = fileURLToPath(new URL("./own-process-host.ts", import.meta.url));
  const child = fork(host, [], { serialization: "advanced", execArgv: ["--expose-gc"] });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${name} ended early with code ${code}`)));
    child.once("message", (answer: OwnProcessAnswer) => {
      child.disconnect();
      if (answer.kind === "result") resolve(answer.result as Result);
      else reject(new Error(`${name}: ${answer.message}`));
    });
    const job: OwnProcessJob = { module, name, argument };
    child.send(job);
  });
}

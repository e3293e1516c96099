/** The outside world: payment, SMS and risk-score providers, in a process of their own. */

import { hostProcess } from "@plateau/hosting";
import { startSandbox } from "@plateau/sandbox";
import { required } from "./required-variable.ts";

export interface SandboxReady {
  readonly url: string;
}

process.title = "plateau-sandbox";

hostProcess<SandboxReady>(async () => {
  const port = Number(process.env.SANDBOX_PORT ?? "0");
  const sandbox = await startSandbox({ host: "127.0.0.1", port, dataDir: required("SANDBOX_FOLDER") });
  return { ready: { url: sandbox.url }, stop: () => sandbox.stop() };
});

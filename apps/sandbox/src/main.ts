/** The sandbox as a process of its own: HOST, PORT and DATA_DIR; prints `{"url":…}` once it listens. */
import { startSandbox } from "./index.ts";

const { HOST, PORT, DATA_DIR } = process.env;
if (DATA_DIR === undefined || DATA_DIR === "")
  throw new Error("DATA_DIR is needed: where the sandbox keeps its ledger");

const sandbox = await startSandbox({
  dataDir: DATA_DIR,
  ...(HOST ? { host: HOST } : {}),
  ...(PORT ? { port: Number(PORT) } : {}),
});
console.log(JSON.stringify({ url: sandbox.url }));

const stop = (): void => {
  void sandbox.stop().then(() => process.exit(0));
};
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
// Started with a channel to its parent, it ends with it.
process.once("disconnect", stop);

/** The outside world as a process of its own. `--help` tells its environment. */
import { required, runProcess, values, withDefault } from "@plateau/hosting";
import { startSandbox } from "./index.ts";

runProcess({
  name: "sandbox",
  purpose: "The outside world in a box: payment, SMS and risk-score providers over HTTP. One process.",
  variables: {
    DATA_DIR: required("where it keeps its ledger", values.text),
    HOST: withDefault("the address it listens on", values.text, "127.0.0.1"),
    PORT: withDefault("the port it listens on; 0 for a free one", values.port, "0"),
  },
  async start({ DATA_DIR, HOST, PORT }) {
    const sandbox = await startSandbox({ dataDir: DATA_DIR, host: HOST, port: PORT });
    return { ready: { url: sandbox.url }, stop: () => sandbox.stop() };
  },
});

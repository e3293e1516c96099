/** An engine as another thread has it, though both ends of the port lie in this one. */
import { MessageChannel } from "node:worker_threads";
import { connectEngine, type Engine, type ManualClock, serveEngine } from "../src/index.ts";

/** Closing it closes the engine behind it too: whoever tests the one wants the other gone with it. */
export async function overPort(owned: Engine, clock: ManualClock): Promise<Engine> {
  const { port1, port2 } = new MessageChannel();
  serveEngine(owned, port1, { clock });
  const connected = await connectEngine(port2, { clock });
  const closeConnection = connected.close.bind(connected);
  connected.close = async () => {
    await closeConnection();
    await owned.close();
  };
  return connected;
}

/**
 * Runs the built storefront in a process that ends with its supervisor.
 *
 * What can go wrong: the standalone server starts listening some time after its file was loaded, and says so only in
 * text; its port is tried until it answers.
 */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { hostProcess } from "@plateau/hosting";
import { required } from "./required-variable.ts";

process.title = "plateau-storefront";

hostProcess<Record<string, never>>(async () => {
  const port = Number(required("PORT"));
  await import(pathToFileURL(required("STOREFRONT_SERVER")).href);
  while (!(await accepts(port))) await sleep(20);
  // Pages are rendered anew at the next start and hold nothing: there is nothing to finish.
  return { ready: {}, stop: async () => undefined };
});

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

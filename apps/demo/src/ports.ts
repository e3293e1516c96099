/** Ports that nobody uses. What can go wrong: somebody else takes a free one before it is bound; that fails loudly. */
import { createServer } from "node:net";
import { codeOf, StartProblem } from "@plateau/hosting";

/** Resolves with `port`, or with a free one for 0. Throws StartProblem where it cannot be bound. */
export function claimPort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => reject(new StartProblem(explain(codeOf(error), host, port))));
    probe.listen(port, host, () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === "string") reject(new Error("the system gave no port"));
        else resolve(address.port);
      });
    });
  });
}

function explain(code: string, host: string, port: number): string {
  if (code === "EADDRINUSE") return `port ${port} on ${host} is in use; set PORT to another`;
  if (code === "EACCES") return `this user may not open port ${port}; set PORT to one above 1023`;
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return `HOST ${host} is no address of this machine`;
  }
  return `cannot listen on ${host}:${port} (${code})`;
}

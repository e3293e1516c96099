/**
 * One way as a process of its own, for a load that comes from outside (k6). It tells where it serves, and where its
 * truth is asked for: `GET /?accepted=<how many were told so>` there waits until what follows is done, and answers
 * with what was found.
 *
 * Promise: when it ends, its tables and its log are gone; those of one that was killed are removed by the next.
 */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type FourWaysCheck, type Way, ways } from "@plateau/domain";
import { hostProcess, StartProblem, startWith } from "@plateau/hosting";
import { orderProviderTimes } from "./experiment.ts";
import { claim } from "./lab-database.ts";
import { planOf, settings } from "./plan.ts";
import { type StartedWay, startWay } from "./run-way.ts";

export interface ServedWay {
  readonly url: string;
  readonly saleId: string;
  readonly truthUrl: string;
}

process.title = "plateau-way";

hostProcess<ServedWay>(async () => {
  const { DATABASE_URL, SANDBOX_URL, FOUR_WAYS_FOLDER, FOUR_WAYS_WAY } = process.env;
  const way = ways.find((name) => name === FOUR_WAYS_WAY);
  if (DATABASE_URL === undefined || SANDBOX_URL === undefined || FOUR_WAYS_FOLDER === undefined || way === undefined) {
    throw new StartProblem("DATABASE_URL, SANDBOX_URL, FOUR_WAYS_FOLDER and FOUR_WAYS_WAY are needed");
  }
  const place = { databaseUrl: DATABASE_URL, sandboxUrl: SANDBOX_URL, folder: FOUR_WAYS_FOLDER };
  const { started, parts } = await serve(way, place);
  return { ready: started, stop: () => parts.stop() };
});

function serve(way: Way, place: { databaseUrl: string; sandboxUrl: string; folder: string }) {
  return startWith<ServedWay>(async (parts) => {
    parts.add(await claim(place.databaseUrl, settings), (schema) => schema.drop());
    parts.add(place.folder, (folder) => rm(folder, { recursive: true, force: true }));
    await orderProviderTimes(place.sandboxUrl);
    const { stock } = planOf(1, "usual");
    const served = parts.add(await startWay(way, stock, { ...place, settings }), (one) => one.stop());
    const truth = createServer((request, response) => {
      const told = Number(new URL(request.url ?? "/", "http://localhost").searchParams.get("accepted"));
      examineWith(served, stock, told).then(
        (found) => response.end(JSON.stringify(found)),
        () => response.writeHead(500).end(),
      );
    });
    truth.listen(0, "127.0.0.1");
    await once(truth, "listening");
    parts.add(truth, async (server) => void server.close().closeAllConnections());
    const { port } = truth.address() as AddressInfo;
    return { url: served.running.url, saleId: served.saleId, truthUrl: `http://127.0.0.1:${port}` };
  });
}

/** What the way says it told may be wrong: what was heard outside is held against what was sold as well. */
async function examineWith(served: StartedWay, stock: number, told: number): Promise<readonly FourWaysCheck[]> {
  const checks = await served.examine();
  const sold = stock - (await served.running.unitsLeft());
  const heard: FourWaysCheck = {
    id: "heard-outside",
    title: "Nobody heard “won” for a unit that was not sold",
    verdict: told <= sold ? "pass" : "fail",
    evidence: `${told} heard it, ${sold} units sold`,
  };
  return [...checks, heard];
}

import type { FlowHistory, Sale } from "@plateau/domain/http";
import { FlowBoard } from "../../flow/flow-board.tsx";
import { translator } from "../../language/server.ts";
import { Words } from "../../language/words.tsx";
import { askOrThrow } from "../../server/backend.ts";
import { currentMoment } from "../../server/moment.ts";

export async function generateMetadata() {
  const words = await translator("live");
  return { title: words("title") };
}

export default async function LivePage() {
  const [{ samples }, sales, moment, words] = await Promise.all([
    askOrThrow<FlowHistory>("/api/flow/history"),
    askOrThrow<{ sales: Sale[] }>("/api/sales"),
    currentMoment(),
    translator("live"),
  ]);
  return (
    <div className="page live-page">
      <div className="lead-in">
        <h1>{words("headline")}</h1>
        <p className="max-w-2xl text-ink-soft">{words("lead")}</p>
      </div>
      <Words of={["live"]}>
        <FlowBoard history={samples} sales={sales} moment={moment} />
      </Words>
    </div>
  );
}

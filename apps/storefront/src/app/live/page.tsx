import type { FlowHistory, Sale } from "@plateau/domain/http";
import { FlowBoard } from "../../flow/flow-board.tsx";
import { askOrThrow } from "../../server/backend.ts";
import { currentMoment } from "../../server/moment.ts";

export const metadata = { title: "Live" };

export default async function LivePage() {
  const [{ samples }, sales, moment] = await Promise.all([
    askOrThrow<FlowHistory>("/api/flow/history"),
    askOrThrow<{ sales: Sale[] }>("/api/sales"),
    currentMoment(),
  ]);
  return (
    <div className="page">
      <div className="lead-in">
        <h1>A peak comes in, a flat line comes out</h1>
        <p className="max-w-2xl text-ink-soft">
          When a sale opens, everybody asks in the same second. The queue takes the peak; the workers behind it decide
          at their own pace, until the queue is empty again.
        </p>
      </div>
      <FlowBoard history={samples} sales={sales} moment={moment} />
    </div>
  );
}

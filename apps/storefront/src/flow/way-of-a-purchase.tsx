import type { FlowSample } from "@plateau/domain/http";
import { countText } from "../text/figures.ts";

/** What each consumer group does, in the order a purchase meets them. */
const words: Readonly<Record<string, { readonly name: string; readonly does: string }>> = {
  risk: { name: "Risk", does: "lets through or refuses" },
  stock: { name: "Stock", does: "decides, alone" },
  order: { name: "Order", does: "writes the order" },
  payment: { name: "Payment", does: "authorises, captures" },
  sms: { name: "SMS", does: "tells the shopper" },
  stats: { name: "Statistics", does: "counts by window" },
};

export function WayOfAPurchase({ sample }: { readonly sample: FlowSample }) {
  return (
    <section aria-labelledby="way-title">
      <div className="section-head">
        <h2 id="way-title">The way of a purchase</h2>
        <p className="label">Each stage reads its topic at its own pace</p>
      </div>
      <ol className="way">
        <li>
          <p className="font-semibold">Gateway</p>
          <p className="label">admits or refuses</p>
          <p className="mt-2 tabular">{countText(Math.round(sample.admitted))}/s in</p>
          <p className="label tabular">{countText(sample.backlog)} undecided</p>
        </li>
        {sample.stages.map(({ group, ratePerSecond, lagMessages }) => {
          const { name, does } = words[group] ?? { name: group, does: "" };
          return (
            <li key={group}>
              <p className="font-semibold">{name}</p>
              <p className="label">{does}</p>
              <p className="mt-2 tabular">{countText(Math.round(ratePerSecond))}/s</p>
              <p className="label tabular">{countText(lagMessages)} waiting</p>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

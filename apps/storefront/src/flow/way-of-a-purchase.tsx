"use client";
import type { FlowSample } from "@plateau/domain/http";
import { useFormatter, useTranslations } from "use-intl";

/** The gateway and each consumer group, in the order a purchase meets them. */
export function WayOfAPurchase({ sample }: { readonly sample: FlowSample }) {
  const words = useTranslations("live.stages");
  const format = useFormatter();
  const count = (value: number) => format.number(Math.round(value));
  const text = (group: string, part: "name" | "does") => {
    const key = `${group}.${part}` as "risk.name";
    return words.has(key) ? words(key) : part === "name" ? group : "";
  };
  return (
    <section aria-labelledby="way-title">
      <div className="section-head">
        <h2 id="way-title">{words("title")}</h2>
        <p className="label">{words("hint")}</p>
      </div>
      <ol className="way">
        <li>
          <p className="font-semibold">{words("gateway.name")}</p>
          <p className="label">{words("gateway.does")}</p>
          <p className="mt-2 tabular">{words("in", { rate: count(sample.admitted) })}</p>
          <p className="label tabular">{words("undecided", { count: count(sample.backlog) })}</p>
        </li>
        {sample.stages.map(({ group, ratePerSecond, lagMessages }) => (
          <li key={group}>
            <p className="font-semibold">{text(group, "name")}</p>
            <p className="label">{text(group, "does")}</p>
            <p className="mt-2 tabular">{words("rate", { rate: count(ratePerSecond) })}</p>
            <p className="label tabular">{words("waiting", { count: count(lagMessages) })}</p>
          </li>
        ))}
      </ol>
    </section>
  );
}

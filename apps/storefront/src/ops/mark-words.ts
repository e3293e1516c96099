"use client";
/** What a mark says beside its line on the chart. */
import type { Mark } from "@plateau/domain/control-room";
import { useMemo } from "react";
import { useFormatter, useTranslations } from "use-intl";
import type { ChartMark } from "../flow/marks.ts";
import { nameOfMark } from "./use-room.ts";

const tones: Readonly<Record<Mark["kind"], ChartMark["tone"]>> = {
  knob: "knob",
  "fault-began": "fault",
  "fault-ended": "fault",
  "spike-began": "crowd",
  "spike-ended": "crowd",
  "sale-made": "crowd",
  "sold-out": "crowd",
};

export function useChartMarks(marks: readonly Mark[]): readonly ChartMark[] {
  const words = useTranslations("ops");
  const format = useFormatter();
  return useMemo(() => {
    const known = <Key extends string>(key: Key, otherwise: string): string =>
      words.has(key as never) ? words(key as never) : otherwise;
    const valueText = (value: Mark["detail"][string] | undefined): string => {
      if (typeof value === "boolean") return words(value ? "marks.on" : "marks.off");
      return typeof value === "number" ? format.number(value) : (value ?? "");
    };
    const textOf = ({ kind, what, detail }: Mark): string => {
      switch (kind) {
        case "knob":
          return words("marks.knob", {
            name: known(`knobs.${what}.name`, what),
            from: valueText(detail.from),
            to: valueText(detail.to),
          });
        case "fault-began":
          return words("marks.faultBegan", { name: known(`faults.${what}.name`, what) });
        case "fault-ended":
          return words("marks.faultEnded", { name: known(`faults.${what}.name`, what) });
        case "spike-began":
          return words("marks.spikeBegan", { name: known(`spikes.${what}.name`, what) });
        case "spike-ended":
          return words("marks.spikeEnded");
        case "sale-made":
          return words("marks.saleMade", { title: valueText(detail.title) || what });
        case "sold-out":
          return words("marks.soldOut");
      }
    };
    // The knobs that a scenario turns belong to it; their marks would take the room of the story's own.
    const told = marks.filter(({ kind, by }) => kind !== "knob" || by !== "spike");
    return told.map((mark) => ({
      name: nameOfMark(mark),
      atMs: mark.atMs,
      tone: tones[mark.kind],
      text: textOf(mark),
    }));
  }, [marks, words, format]);
}

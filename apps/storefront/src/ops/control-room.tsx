"use client";
/**
 * The control room: the moment in a sentence, the peak and the flat line as a picture, whether all is well, and what
 * can be turned, broken and played.
 */
import type { Spikes } from "@plateau/domain/control-orders";
import type { ControlHistory, ControlRoom as RoomFacts } from "@plateau/domain/control-room";
import type { Knobs, Product } from "@plateau/domain/http";
import { useTranslations } from "use-intl";
import { ChartOrTable } from "../flow/chart-or-table.tsx";
import { LatencyStrip } from "../flow/latency-strip.tsx";
import { StoryLine } from "../flow/story-line.tsx";
import { useZone } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";
import { Tour } from "../tour/tour.tsx";
import { type FaultStates, FaultsPanel } from "./faults-panel.tsx";
import type { Bounds, KnobName } from "./knob-settings.ts";
import { KnobsPanel } from "./knobs-panel.tsx";
import { useChartMarks } from "./mark-words.ts";
import { RoomNavigation } from "./room-navigation.tsx";
import { SaleForm } from "./sale-form.tsx";
import { SpikesRow } from "./spikes-row.tsx";
import { nameOfMark, useRoom } from "./use-room.ts";
import { VerdictStrip } from "./verdict-strip.tsx";
import { Way } from "./way.tsx";

export interface ControlRoomProps {
  readonly facts: RoomFacts;
  readonly history: ControlHistory;
  readonly knobs: Knobs;
  readonly bounds: Partial<Record<KnobName, Bounds>>;
  readonly faults: FaultStates;
  readonly spikes: Spikes;
  readonly products: readonly Product[];
  readonly moment: Moment;
  readonly tourOffered: boolean;
}

export function ControlRoom(props: ControlRoomProps) {
  const { facts, moment } = props;
  const words = useTranslations("ops");
  const { seconds, marks, latest, source } = useRoom(props.history);
  const chartMarks = useChartMarks(marks);
  const zone = useZone(moment);
  const nowMs = latest?.atMs ?? moment.renderedAtMs;
  const newest = (...kinds: readonly string[]) => {
    const mark = marks.findLast(({ kind }) => kinds.includes(kind));
    return mark === undefined ? "" : `${nameOfMark(mark)} ${JSON.stringify(mark.detail)}`;
  };
  return (
    <div className="page control-room">
      <Tour name="room" offered={props.tourOffered} />
      <RoomNavigation here="room" source={source} viewers={latest?.viewers} />
      <StoryLine seconds={seconds} />
      {facts.storageRisks.length === 0 ? null : (
        <details className="storage-risks">
          <summary>{words("risks")}</summary>
          <ul lang="en">
            {facts.storageRisks.map((risk) => (
              <li key={risk}>{risk}</li>
            ))}
          </ul>
        </details>
      )}
      <div className="room-grid">
        <div className="room-hero">
          <SpikesRow spikes={props.spikes} status={latest?.spike ?? props.spikes.current ?? undefined} nowMs={nowMs} />
          <ChartOrTable seconds={seconds} marks={chartMarks} zone={zone} reach="hour" />
          <LatencyStrip seconds={seconds} />
        </div>
        <div className="room-side">
          <VerdictStrip latest={latest} />
          <KnobsPanel initial={props.knobs} bounds={props.bounds} fixed={facts.fixedKnobs} turned={newest("knob")} />
          <FaultsPanel initial={props.faults} nowMs={nowMs} changed={newest("fault-began", "fault-ended")} />
        </div>
      </div>
      <Way edges={latest?.edges ?? []} />
      <SaleForm products={props.products} nowMs={nowMs} />
    </div>
  );
}

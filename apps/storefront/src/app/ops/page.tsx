import type { Spikes } from "@plateau/domain/control-orders";
import type { ControlHistory, ControlRoom as RoomFacts } from "@plateau/domain/control-room";
import type { Knobs, Product } from "@plateau/domain/http";
import { translator } from "../../language/server.ts";
import { Words } from "../../language/words.tsx";
import { AdminSignIn } from "../../ops/admin-sign-in.tsx";
import { ControlRoom } from "../../ops/control-room.tsx";
import type { FaultStates } from "../../ops/faults-panel.tsx";
import { knobBounds } from "../../ops/knob-settings.ts";
import { ask, askOrThrow } from "../../server/backend.ts";
import { currentMoment } from "../../server/moment.ts";
import { isFirstVisit } from "../../tour/first-visit.ts";
import "../ops.css";

export async function generateMetadata() {
  const words = await translator("ops");
  return { title: words("title") };
}

const areas = ["ops", "live", "tour"] as const;
/** The rest of the hour comes after the first view. */
const firstViewSeconds = 180;

export default async function ControlRoomPage() {
  const facts = await ask<RoomFacts>("/api/ops/room");
  if (!facts.ok) {
    return (
      <Words of={areas}>
        <AdminSignIn />
      </Words>
    );
  }
  const [history, knobs, faults, spikes, { products }, moment, tourOffered] = await Promise.all([
    askOrThrow<ControlHistory>(`/api/ops/history?seconds=${firstViewSeconds}`),
    askOrThrow<Knobs>("/api/ops/knobs"),
    askOrThrow<FaultStates>("/api/ops/faults"),
    askOrThrow<Spikes>("/api/ops/spikes"),
    askOrThrow<{ products: Product[] }>("/api/products"),
    currentMoment(),
    isFirstVisit("room"),
  ]);
  return (
    <Words of={areas}>
      <ControlRoom
        facts={facts.body}
        history={history}
        knobs={knobs}
        bounds={knobBounds()}
        faults={faults}
        spikes={spikes}
        products={products}
        moment={moment}
        tourOffered={tourOffered}
      />
    </Words>
  );
}

/** What `npm run bench -- queue` measures, by name; each can be asked for alone. */
import { benchBacklog } from "../../queue-core/bench/backlog.ts";
import { benchCatchUp } from "../../queue-core/bench/catch-up.ts";
import { benchFanOut } from "../../queue-core/bench/fan-out.ts";
import { benchIdle } from "../../queue-core/bench/idle.ts";
import { benchPublishAlone } from "../../queue-core/bench/publish-alone.ts";
import { benchPublishDurable } from "../../queue-core/bench/publish-durable.ts";
import { benchRestart } from "../../queue-core/bench/restart.ts";
import { benchRoundTrip } from "../../queue-core/bench/round-trip.ts";
import type { BenchOptions, BenchRow } from "../../queue-core/bench/row.ts";
import { benchStateMillion } from "../../queue-core/bench/state-million.ts";
import { benchRivals } from "./rivals/compare.ts";

export type Bench = (options: BenchOptions) => Promise<readonly BenchRow[]>;

export const queueBenches: Readonly<Record<string, Bench>> = {
  "publish-durable": benchPublishDurable,
  "publish-alone": benchPublishAlone,
  "round-trip": benchRoundTrip,
  "catch-up": benchCatchUp,
  "fan-out": benchFanOut,
  backlog: benchBacklog,
  "state-million": benchStateMillion,
  restart: benchRestart,
  idle: benchIdle,
  rivals: benchRivals,
};

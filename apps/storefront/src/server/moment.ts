import type { Moment } from "../time/moment.ts";
import { askOrThrow } from "./backend.ts";

/** The gateway's clock decides when sales open, so the first view counts from it too. */
export async function currentMoment(): Promise<Moment> {
  const { epochMs } = await askOrThrow<{ epochMs: number }>("/api/time");
  return { renderedAtMs: epochMs, timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone };
}

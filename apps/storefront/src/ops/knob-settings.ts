/**
 * The knobs as the page shows them. What a knob may be is read from the schema that the gateway checks by, on the
 * server, so that page and gateway never disagree.
 */
import { Knobs } from "@plateau/domain/http";
import { z } from "zod";

export type KnobName = keyof Knobs;
export type Bounds = { readonly min: number; readonly max: number; readonly whole: "whole" | "any" };

export function knobBounds(): Partial<Record<KnobName, Bounds>> {
  const { properties = {} } = z.toJSONSchema(Knobs) as {
    properties?: Record<string, { type?: string; minimum?: number; maximum?: number }>;
  };
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, { type, minimum, maximum }]) =>
      minimum === undefined || maximum === undefined
        ? []
        : [[name, { min: minimum, max: maximum, whole: type === "integer" ? "whole" : "any" } satisfies Bounds]],
    ),
  );
}

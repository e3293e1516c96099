import type { ComponentType } from "react";
import { CastIronPan } from "./cast-iron-pan.tsx";
import { DownJacket } from "./down-jacket.tsx";
import { EnamelKettle } from "./enamel-kettle.tsx";
import { FieldRadio } from "./field-radio.tsx";
import { FilmCamera } from "./film-camera.tsx";
import { HandGrinder } from "./hand-grinder.tsx";
import { Headlamp } from "./headlamp.tsx";
import { MarkOnGround } from "./mark-on-ground.tsx";
import { Rope } from "./rope.tsx";
import { Tent } from "./tent.tsx";
import { Thermos } from "./thermos.tsx";
import { TrailShoe } from "./trail-shoe.tsx";
import { WoolBlanket } from "./wool-blanket.tsx";

const drawn: ReadonlyMap<string, ComponentType> = new Map<string, ComponentType>([
  ["enamel-kettle", EnamelKettle],
  ["headlamp", Headlamp],
  ["wool-blanket", WoolBlanket],
  ["hand-grinder", HandGrinder],
  ["down-jacket", DownJacket],
  ["film-camera", FilmCamera],
  ["thermos", Thermos],
  ["trail-shoe", TrailShoe],
  ["cast-iron-pan", CastIronPan],
  ["rope", Rope],
  ["tent", Tent],
  ["field-radio", FieldRadio],
]);

/** The still life of a product by its picture's name; fills its panel, which must clip what reaches beyond. */
export function Picture({ name }: { readonly name: string }) {
  const Drawing = drawn.get(name) ?? MarkOnGround;
  return <Drawing />;
}

/**
 * The stage that every still life stands on: one wall, one ground line, light from the upper left, one long
 * shadow to the right. An object brings only its flat shapes, in three tones of its colour and one accent.
 *
 * What can go wrong: a panel of another shape than the drawing would show bare edges; wall and floor therefore
 * reach far beyond the view box, and the panel clips them.
 */
import type { ReactNode } from "react";
import { useId } from "react";

/** Objects stand on this line, in drawing coordinates (objects fill about 60 to 600 of 640). */
export const groundY = 520;
const horizonY = 456;
const beyond = 2400;

export interface Shadow {
  /** Left and right edge of what touches the ground. */
  readonly from: number;
  readonly to: number;
  /** How far the shadow falls to the right; taller objects throw longer ones. */
  readonly reach: number;
}

export interface SceneProps {
  readonly name: string;
  readonly shadow: Shadow;
  readonly children: ReactNode;
}

/** Decorative: the product's name always stands beside it as text. */
export function Scene({ name, shadow, children }: SceneProps) {
  const fade = useId();
  const { from, to, reach } = shadow;
  return (
    <svg className={`picture picture-${name}`} viewBox="28 64 580 580" aria-hidden="true" focusable="false">
      <linearGradient id={fade} gradientUnits="userSpaceOnUse" x1={from} x2={to + reach} y1="0" y2="0">
        <stop offset="0.2" className="shadow-near" />
        <stop offset="1" className="shadow-far" />
      </linearGradient>
      <rect className="wall" x={-beyond} y={-beyond} width={2 * beyond + 640} height={beyond + horizonY} />
      <rect className="floor" x={-beyond} y={horizonY} width={2 * beyond + 640} height={beyond} />
      <line className="ground-line" x1={-beyond} x2={beyond + 640} y1={horizonY} y2={horizonY} />
      <path
        fill={`url(#${fade})`}
        d={`M${from} ${groundY + 3} L${to} ${groundY + 3} L${to + reach} ${groundY - 30} L${from + reach * 0.9} ${groundY - 30} Z`}
      />
      {children}
    </svg>
  );
}

/**
 * The charts' colours, read from the page's own variables, so that a chart on canvas follows the theme.
 *
 * What can go wrong: a pattern belongs to the pixels of one screen, so patterns are made anew with each palette.
 */
export interface Palette {
  readonly ink: string;
  readonly soft: string;
  readonly hairline: string;
  readonly arrivals: string;
  readonly admitted: string;
  readonly decided: string;
  readonly backlog: string;
  readonly wash: (color: keyof PlainColors, percent: number) => string;
  readonly hatch: (kind: Hatch) => CanvasPattern | string;
}

export const hatches = ["rising", "falling", "level", "dotted"] as const;
export type Hatch = (typeof hatches)[number];

interface PlainColors {
  readonly admitted: string;
  readonly decided: string;
  readonly backlog: string;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const plain = {
    arrivals: color("--signal"),
    admitted: color("--sand"),
    decided: color("--pine-text"),
    backlog: color("--slate-line"),
  };
  const soft = color("--ink-soft");
  const made = new Map<Hatch, CanvasPattern | string>();
  return {
    ...plain,
    ink: color("--ink"),
    soft,
    hairline: color("--hairline"),
    wash: (name, percent) => `color-mix(in oklab, ${plain[name]} ${percent}%, transparent)`,
    hatch: (kind) => {
      const pattern = made.get(kind) ?? patternOf(kind, soft);
      made.set(kind, pattern);
      return pattern;
    },
  };
}

const tile = 6;

function patternOf(kind: Hatch, color: string): CanvasPattern | string {
  const ratio = window.devicePixelRatio;
  const canvas = document.createElement("canvas");
  canvas.width = tile * ratio;
  canvas.height = tile * ratio;
  const context = canvas.getContext("2d");
  if (context === null) return "transparent";
  context.scale(ratio, ratio);
  context.strokeStyle = color;
  context.fillStyle = color;
  context.globalAlpha = 0.75;
  context.lineWidth = 1;
  context.beginPath();
  if (kind === "dotted") context.arc(tile / 2, tile / 2, 0.8, 0, 2 * Math.PI);
  for (const [x0, y0, x1, y1] of strokes[kind]) {
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
  }
  if (kind === "dotted") context.fill();
  else context.stroke();
  return context.createPattern(canvas, "repeat") ?? "transparent";
}

/** Each tile repeats without a seam. */
const strokes: Readonly<Record<Hatch, readonly (readonly [number, number, number, number])[]>> = {
  rising: [
    [0, tile, tile, 0],
    [-1, 1, 1, -1],
    [tile - 1, tile + 1, tile + 1, tile - 1],
  ],
  falling: [
    [0, 0, tile, tile],
    [-1, tile - 1, 1, tile + 1],
    [tile - 1, -1, tile + 1, 1],
  ],
  level: [[0, tile / 2, tile, tile / 2]],
  dotted: [],
};

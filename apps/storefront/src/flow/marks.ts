/** Something that happened, as the chart shows it. */
export interface ChartMark {
  readonly name: string;
  readonly atMs: number;
  /** What a hand turned, what broke, what the crowd did. */
  readonly tone: "knob" | "fault" | "crowd";
  readonly text: string;
}

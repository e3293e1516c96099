/** When and where a page was rendered: what its first view in the browser must repeat to the letter. */
export interface Moment {
  /** Server time, ms since the epoch. */
  readonly renderedAtMs: number;
  readonly timeZone: string;
}

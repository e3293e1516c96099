/** Where and when a stock command is decided; one object for all that a decision stamps on what it leaves. */
export interface Moment {
  /** Offset of the command in its `stock-commands` partition. */
  readonly position: number;
  /** Engine time at which the command was stored, ms since epoch. */
  readonly storedAtMs: number;
  /** Engine time of the decision, ms since epoch; the same for a whole batch. */
  readonly nowMs: number;
}

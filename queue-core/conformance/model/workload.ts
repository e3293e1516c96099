/** What the commands put into the queue, as the real side and the model both know it. */

export const partitions = 2;

export interface Job {
  readonly n: number;
  readonly key: string;
  /** The ledger cannot decide it. */
  readonly isBad: boolean;
}

export interface Logged {
  readonly n: number;
  readonly forGroup: string | undefined;
}

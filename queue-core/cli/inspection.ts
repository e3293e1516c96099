/** What an inspection finds, file by file. */
export interface Damage {
  readonly file: string;
  readonly position: number;
  readonly what: string;
}

export interface InspectedFile {
  readonly file: string;
  readonly bytes: number;
  /** Of segments. */
  readonly batches?: number;
  readonly commits?: number;
  readonly messages?: number;
  /** Of snapshots. */
  readonly entries?: number;
  /** What there is to say of it besides damage. */
  readonly note?: string;
  readonly damages: readonly Damage[];
}

export interface Inspection {
  readonly files: readonly InspectedFile[];
  readonly damages: readonly Damage[];
  /** The live process that has the log open; null when there is none. */
  readonly writerPid: number | null;
}

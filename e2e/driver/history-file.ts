/**
 * The driver's history as JSON lines, each written to the file before anything is sent: what the driver knows does
 * not depend on what it drives.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import type { HistoryEntry } from "@plateau/domain";

export class HistoryFile {
  readonly path: string;
  readonly #fd: number;
  #lines = 0;

  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, "ax");
  }

  get lines(): number {
    return this.#lines;
  }

  write(entry: Omit<HistoryEntry, "tMonoMs">): void {
    writeSync(this.#fd, `${JSON.stringify({ ...entry, tMonoMs: performance.now() })}\n`);
    this.#lines++;
  }

  text(): string {
    return readFileSync(this.path, "utf8");
  }

  close(): void {
    closeSync(this.#fd);
  }
}

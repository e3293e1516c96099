/**
 * Where the messages of one partition are: the recent ones in batches that are still in memory, all of them by a
 * sparse index into the segment files.
 *
 * What can go wrong: an index entry for each message would outgrow memory with the log; none would make a read
 * scan it. Entries of one partition lie so far apart that a read goes through 64 KiB of log before it finds its
 * message, or, where the log belongs to many partitions, through 32 messages of its own, but never through more than
 * 1 MiB. Promise: the index takes less than a byte a message and partition's MiB of log: a log of 8 GiB with
 * 256 partitions in turn needs 40 MB instead of 800.
 */

/** A batch that is still in memory. */
export interface RecentBatch {
  readonly bytes: Buffer;
  readonly timeMs: number;
  /** Partitions that have a chunk of it. */
  readonly holders: PartitionMessages[];
}

export interface BatchPlace {
  /** The sequence of the segment's first batch, which names its file. */
  readonly segment: number;
  readonly position: number;
}

/** Consecutive messages of this partition in one batch. */
interface RecentChunk {
  readonly batch: RecentBatch;
  readonly firstOffset: number;
  readonly positions: number[];
}

/** Where to look for an offset on disk. */
export interface IndexEntry extends BatchPlace {
  readonly firstOffset: number;
  /** The next entry's first offset: messages from there on are better looked for there. */
  readonly beforeOffset: number;
}

const indexGap = { bytes: 64 * 1024, messages: 32, mostBytes: 1024 * 1024 };

export class PartitionMessages {
  #chunks: (RecentChunk | undefined)[] = [];
  #head = 0;
  #firstOffsets: number[] = [];
  #segments: number[] = [];
  #positions: number[] = [];
  /** Entries before it are of offsets that a ring dropped. */
  #indexHead = 0;

  /** The oldest offset in memory; undefined when there is none. */
  get recentStart(): number | undefined {
    return this.#chunks[this.#head]?.firstOffset;
  }

  /** Notes that a batch at that place holds messages from `offset` on. In log order. */
  index(offset: number, place: BatchPlace): void {
    const last = this.#firstOffsets.length - 1;
    if (last >= 0 && this.#segments[last] === place.segment) {
      const bytes = place.position - (this.#positions[last] as number);
      const messages = offset - (this.#firstOffsets[last] as number);
      if (bytes < indexGap.bytes || (messages < indexGap.messages && bytes < indexGap.mostBytes)) return;
    }
    this.restorePlace(offset, place);
  }

  /** Takes over an entry of an index that was kept, in offset order. */
  restorePlace(firstOffset: number, place: BatchPlace): void {
    this.#firstOffsets.push(firstOffset);
    this.#segments.push(place.segment);
    this.#positions.push(place.position);
  }

  /** The entries of the index, in offset order. */
  *places(): Generator<BatchPlace & { readonly firstOffset: number }> {
    for (let at = this.#indexHead; at < this.#firstOffsets.length; at++) {
      yield {
        firstOffset: this.#firstOffsets[at] as number,
        segment: this.#segments[at] as number,
        position: this.#positions[at] as number,
      };
    }
  }

  /** In offset order. `position` is the message's place in the batch. */
  remember(batch: RecentBatch, place: BatchPlace, offset: number, position: number): void {
    const last = this.#chunks[this.#chunks.length - 1];
    if (last !== undefined && last.batch === batch) {
      last.positions.push(position);
      return;
    }
    this.index(offset, place);
    this.#chunks.push({ batch, firstOffset: offset, positions: [position] });
    batch.holders.push(this);
  }

  /** Forgets the oldest batch in memory. */
  forgetOldestBatch(): void {
    this.#chunks[this.#head++] = undefined;
    if (this.#head < 64 || this.#head * 2 < this.#chunks.length) return;
    this.#chunks = this.#chunks.slice(this.#head);
    this.#head = 0;
  }

  /** The index may forget offsets below this one: a ring dropped them. */
  dropIndexBefore(offset: number): void {
    while ((this.#firstOffsets[this.#indexHead + 1] ?? Number.POSITIVE_INFINITY) <= offset) this.#indexHead++;
    if (this.#indexHead < 64 || this.#indexHead * 2 < this.#firstOffsets.length) return;
    this.#firstOffsets = this.#firstOffsets.slice(this.#indexHead);
    this.#segments = this.#segments.slice(this.#indexHead);
    this.#positions = this.#positions.slice(this.#indexHead);
    this.#indexHead = 0;
  }

  /** Places of messages in memory, from `fromOffset`, which is not below `recentStart`, to before `endOffset`. */
  *recent(fromOffset: number, endOffset: number): Generator<{ batch: RecentBatch; position: number }> {
    for (let at = this.#chunkOf(fromOffset); at < this.#chunks.length; at++) {
      const { batch, firstOffset, positions } = this.#chunks[at] as RecentChunk;
      for (let index = Math.max(0, fromOffset - firstOffset); index < positions.length; index++) {
        if (firstOffset + index >= endOffset) return;
        yield { batch, position: positions[index] as number };
      }
    }
  }

  /** The last entry that begins at or before the offset. */
  find(offset: number): IndexEntry | undefined {
    let low = this.#indexHead;
    let high = this.#firstOffsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#firstOffsets[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    const at = low - 1;
    if (at < this.#indexHead) return undefined;
    return {
      firstOffset: this.#firstOffsets[at] as number,
      segment: this.#segments[at] as number,
      position: this.#positions[at] as number,
      beforeOffset: this.#firstOffsets[low] ?? Number.POSITIVE_INFINITY,
    };
  }

  #chunkOf(offset: number): number {
    let low = this.#head;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chunks[middle] as RecentChunk).firstOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

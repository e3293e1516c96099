/**
 * The oracle of a full disk: while the log still has the room of its reserve, nobody who only acknowledges is refused.
 *
 * What can go wrong: a reserve without room behind it (a file with holes) is missed only when it is needed. So what
 * segments may take is counted from the moment at which a write found no room, with a reserve of full size there.
 */
import type { Commit, Lease } from "../src/engine.ts";
import { QueueError } from "../src/errors.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";
import type { World } from "./world.ts";

/** A batch with its neighbours, a new segment with its header, and the last sector of each. */
const slackBytes = 4_096;

export class RoomRule {
  readonly #world: World;
  readonly #disk: SimulatedDisk;
  readonly #directory: string;
  readonly #reserveBytes: number;
  /** Owners that appended: what they commit after something refused is refused as well. */
  readonly #appending = new Set<string>();
  /** What segments took when the disk was found full; undefined while it was not, or without a reserve. */
  #bytesAtFull: number | undefined;

  constructor(world: World, disk: SimulatedDisk, log: { readonly directory: string; readonly reserveBytes: number }) {
    this.#world = world;
    this.#disk = disk;
    this.#directory = log.directory;
    this.#reserveBytes = log.reserveBytes;
  }

  /** A new process asks anew, and so does a disk that was filled anew. */
  forget(): void {
    this.#bytesAtFull = undefined;
  }

  foundFull(): void {
    const { size = 0 } = this.#disk.find(`${this.#directory}/reserve`) ?? {};
    if (this.#bytesAtFull === undefined && size === this.#reserveBytes) this.#bytesAtFull = this.#segmentBytes();
  }

  /** Before each commit. */
  asked({ fence, append }: Commit): void {
    if (fence !== undefined && append !== undefined) this.#appending.add(ownerOf(fence));
  }

  refused(commit: Commit, error: unknown): void {
    if (!(error instanceof QueueError) || error.code !== "STORAGE_FULL" || this.#bytesAtFull === undefined) return;
    const isAcknowledgement = commit.fence !== undefined && !this.#appending.has(ownerOf(commit.fence));
    const takenBytes = this.#segmentBytes() - this.#bytesAtFull;
    if (!isAcknowledgement || takenBytes + slackBytes > this.#reserveBytes) return;
    const { group, topic } = commit.fence;
    const detail = `${group} on ${topic}, with ${takenBytes} of the ${this.#reserveBytes} bytes kept for it taken`;
    this.#world.fail("acknowledgements have room on a full disk", detail);
  }

  #segmentBytes(): number {
    return this.#disk.bytesOf(this.#directory, ".segment");
  }
}

const ownerOf = ({ group, topic, partition, epoch }: Lease): string => `${group} ${topic}/${partition} ${epoch}`;

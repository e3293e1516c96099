/**
 * Memory for slabs of 64 KiB, by number, taken from the system in regions.
 *
 * What can go wrong: memory freed in small pieces seldom goes back to the system: after half a million entries were
 * merged in a thread and freed, the C library kept 120 MB of them. A region beyond 32 MiB is mapped by itself, takes
 * only what is touched of it, and goes back whole (glibc's largest `M_MMAP_THRESHOLD`). So regions grow from 64 KiB,
 * which is enough for most states, to 40 MiB.
 */

export const slabBytes = 64 * 1024;

const firstRegionsSlabs: readonly number[] = [1, 1, 2, 4, 8, 16, 32];
const laterRegionSlabs = 640;

interface Region {
  readonly memory: ArrayBuffer;
  used: number;
}

export interface SlabPlace {
  readonly number: number;
  readonly memory: ArrayBuffer;
  readonly offset: number;
}

export class SlabMemory {
  #regions: (Region | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  #numbers = 0;

  /** What lies there is left over from its last use. */
  take(): SlabPlace {
    const number = this.#freeNumbers.pop() ?? this.#numbers++;
    const { index, first, slabs } = regionOf(number);
    let region = this.#regions[index];
    if (region === undefined) {
      region = { memory: new ArrayBuffer(slabs * slabBytes), used: 0 };
      this.#regions[index] = region;
    }
    region.used++;
    return { number, memory: region.memory, offset: (number - first) * slabBytes };
  }

  give(number: number): void {
    const { index } = regionOf(number);
    const region = this.#regions[index] as Region;
    region.used--;
    if (region.used === 0) this.#regions[index] = undefined;
    this.#freeNumbers.push(number);
  }
}

function regionOf(number: number): { readonly index: number; readonly first: number; readonly slabs: number } {
  let first = 0;
  for (const [index, slabs] of firstRegionsSlabs.entries()) {
    if (number < first + slabs) return { index, first, slabs };
    first += slabs;
  }
  const later = Math.floor((number - first) / laterRegionSlabs);
  return {
    index: firstRegionsSlabs.length + later,
    first: first + later * laterRegionSlabs,
    slabs: laterRegionSlabs,
  };
}

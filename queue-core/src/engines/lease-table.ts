/**
 * Leases of partitions and the members of groups.
 *
 * What can go wrong: a paused owner comes back after its lease went to somebody else. Promise: each change of
 * owner gives a higher epoch, also across restarts (the incarnation is its upper part), and `holds` is false for
 * every lease but the newest. An expired lease that nobody took over still holds: no one else wrote meanwhile.
 *
 * Leases live in memory alone: when the one process that serves the log dies, all its members die with it.
 */
import type { Lease, LeaseHolder, PartitionRef } from "../engine.ts";

/** Changes of owner that one incarnation can count: 2^32, which leaves 2^21 incarnations below 2^53. */
const epochsPerIncarnation = 2 ** 32;

interface Holding {
  readonly partition: number;
  epoch: number;
  /** Undefined once released. */
  member: string | undefined;
  expiresAtMs: number;
}

export class LeaseTable {
  readonly #holdings = new Map<string, Holding>();
  readonly #members = new Map<string, Map<string, number>>();
  readonly #firstEpoch: number;

  /** @param incarnation how often the store was opened before; grows with each restart. */
  constructor(incarnation: number) {
    this.#firstEpoch = incarnation * epochsPerIncarnation + 1;
  }

  acquire(ref: PartitionRef & { readonly member: string; readonly ttlMs: number }, nowMs: number): Lease | undefined {
    const id = idOf(ref);
    let holding = this.#holdings.get(id);
    if (holding === undefined) {
      holding = { partition: ref.partition, epoch: this.#firstEpoch, member: undefined, expiresAtMs: 0 };
      this.#holdings.set(id, holding);
    } else if (holding.member === undefined || holding.expiresAtMs <= nowMs) {
      holding.epoch++;
    } else if (holding.member !== ref.member) {
      return undefined;
    }
    holding.member = ref.member;
    holding.expiresAtMs = nowMs + ref.ttlMs;
    return {
      group: ref.group,
      topic: ref.topic,
      partition: ref.partition,
      member: ref.member,
      epoch: holding.epoch,
    };
  }

  holds(lease: Lease): boolean {
    const holding = this.#holdings.get(idOf(lease));
    return holding !== undefined && holding.epoch === lease.epoch && holding.member === lease.member;
  }

  renew(lease: Lease, ttlMs: number, nowMs: number): boolean {
    const holding = this.#holdings.get(idOf(lease));
    if (holding === undefined || !this.holds(lease)) return false;
    holding.expiresAtMs = nowMs + ttlMs;
    return true;
  }

  release(lease: Lease): void {
    const holding = this.#holdings.get(idOf(lease));
    if (holding !== undefined && this.holds(lease)) holding.member = undefined;
  }

  /** In the order of their partitions. */
  holders(group: string, topic: string): LeaseHolder[] {
    const found: LeaseHolder[] = [];
    for (const [id, { partition, epoch, member, expiresAtMs }] of this.#holdings) {
      if (id !== idOf({ group, topic, partition })) continue;
      found.push({ partition, epoch, member, expiresAtMs: member === undefined ? 0 : expiresAtMs });
    }
    return found.sort((a, b) => a.partition - b.partition);
  }

  heartbeat(group: string, member: string, ttlMs: number, nowMs: number): void {
    let members = this.#members.get(group);
    if (members === undefined) {
      members = new Map();
      this.#members.set(group, members);
    }
    if (ttlMs > 0) members.set(member, nowMs + ttlMs);
    else members.delete(member);
  }

  /** Live members, sorted. */
  members(group: string, nowMs: number): string[] {
    const members = this.#members.get(group);
    if (members === undefined) return [];
    for (const [member, expiresAtMs] of members) {
      if (expiresAtMs <= nowMs) members.delete(member);
    }
    return [...members.keys()].sort();
  }
}

function idOf(ref: PartitionRef): string {
  return `${ref.partition}\u0000${ref.topic}\u0000${ref.group}`;
}

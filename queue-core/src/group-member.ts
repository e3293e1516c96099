/**
 * What `consume` and `process` hand back: a member with its numbers and its end.
 *
 * What can go wrong:
 * - A member stopped twice, or stopped after it was killed, must not fail; both are no-ops then.
 * - Two members are given one name, as copies of a container are. The engine would take them for one, and both would
 *   hold its leases. So it knows each by name and instance; the name alone is for people.
 */
import { registerGroup } from "./group-registry.ts";
import { Membership, type StartWork } from "./membership.ts";
import { checkName, memberId } from "./namespaces.ts";
import { checkMs } from "./number-checks.ts";
import type { GroupMember } from "./queue.ts";
import type { QueueContext } from "./queue-context.ts";

/** Counted over all partitions that the member ever owned. */
export interface MemberCounters {
  handled: number;
  retried: number;
  deadLettered: number;
  batches: number;
  expired: number;
}

export async function joinGroup(
  context: QueueContext,
  options: {
    readonly group: string;
    readonly topic: { readonly name: string; readonly partitions: number };
    readonly member?: string;
    readonly leaseMs?: number;
  },
  start: (counters: MemberCounters) => StartWork,
): Promise<GroupMember> {
  const { group, topic } = options;
  const unique = `${context.instance}-${Math.floor(context.random() * 2 ** 48).toString(36)}`;
  const member = options.member ?? unique;
  checkName("group", group);
  checkName("member", member);
  checkMs("leaseMs", options.leaseMs);
  const counters: MemberCounters = { handled: 0, retried: 0, deadLettered: 0, batches: 0, expired: 0 };
  await registerGroup(context.engine, group, topic);
  const leaseMs = options.leaseMs ?? context.leaseMs;
  const traits = { name: member, process: context.process, sinceMs: context.engine.now() };
  const place = { group, topic: topic.name, partitions: topic.partitions, member: memberId(traits, unique), leaseMs };
  const membership = new Membership(context, place, start(counters));
  await membership.join();
  return {
    group,
    member,
    statistics: () => ({ member, partitions: membership.partitions, ...counters }),
    stop: async (stopOptions) => {
      checkMs("graceMs", stopOptions?.graceMs);
      await membership.stop(stopOptions?.graceMs);
    },
    kill: () => membership.kill(),
  };
}

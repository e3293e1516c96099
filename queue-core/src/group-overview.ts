/**
 * Who reads what, as a look from outside finds it: every group of every topic, its members, and for each partition
 * who has it, under which fencing epoch, and how far the group is.
 *
 * What can go wrong: the look takes many reads, and the system goes on meanwhile. So nothing here is of one instant: a
 * partition may be shown with an owner that has just left, or with an offset that is behind. Offsets and epochs never
 * go back from one look to the next; `committed` is read before `end`, so that a lag is never below what it was.
 */
import type { Engine } from "./engine.ts";
import { groupsOf } from "./group-registry.ts";
import { type MemberTraits, membershipName, memberTraits } from "./namespaces.ts";

/** A live member: its id is what owns partitions. */
export interface GroupMemberDescription extends MemberTraits {
  readonly id: string;
}

/** One partition as one group sees it. */
export interface GroupPartition {
  readonly partition: number;
  /** Id of the member that has it; undefined where it was released, or nobody ever had it. It may be dead already. */
  readonly owner: string | undefined;
  /** Grows with each change of owner; undefined where nobody ever had it. */
  readonly epoch: number | undefined;
  /** Engine time until which the owner has it unless it renews, ms; undefined without an owner. */
  readonly leasedUntilMs: number | undefined;
  /** The next offset to read. */
  readonly committed: number;
  readonly end: number;
  readonly lagMessages: number;
}

/** One group on one topic. */
export interface GroupDescription {
  readonly group: string;
  readonly topic: string;
  /** Sorted by id. */
  readonly members: readonly GroupMemberDescription[];
  readonly partitions: readonly GroupPartition[];
}

/** By topic in the order of their declaration, then by group. */
export async function describeGroups(engine: Engine): Promise<readonly GroupDescription[]> {
  const ofTopics = await Promise.all(
    engine.topics().map(async ({ name, partitions }) => {
      const groups = await groupsOf(engine, name);
      return Promise.all(groups.map((group) => describeGroup(engine, group, { name, partitions })));
    }),
  );
  return ofTopics.flat();
}

async function describeGroup(
  engine: Engine,
  group: string,
  topic: { readonly name: string; readonly partitions: number },
): Promise<GroupDescription> {
  const [members, leases] = await Promise.all([
    engine.members(membershipName(group, topic.name)),
    engine.leases(group, topic.name),
  ]);
  const holders = new Map(leases.map((holder) => [holder.partition, holder]));
  const partitions = await Promise.all(
    Array.from({ length: topic.partitions }, async (_, partition): Promise<GroupPartition> => {
      const committed = await engine.committedOffset({ group, topic: topic.name, partition });
      const { end } = await engine.range(topic.name, partition);
      const holder = holders.get(partition);
      return {
        partition,
        owner: holder?.member,
        epoch: holder?.epoch,
        leasedUntilMs: holder?.member === undefined ? undefined : holder.expiresAtMs,
        committed,
        end,
        lagMessages: Math.max(0, end - committed),
      };
    }),
  );
  return { group, topic: topic.name, members: members.map((id) => ({ id, ...memberTraits(id) })), partitions };
}

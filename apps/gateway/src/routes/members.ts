/**
 * Who reads what: the groups, their members with the processes they run in, and who has which partition.
 *
 * What can go wrong: some hundred reads for one look, and a control room that looks each second in many windows. Looks
 * that are asked for within `freshForMs` share one.
 */
import { OpsMembers, Problem } from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import { describeGroups, memberTraits, type Queue } from "queue-core";
import type { Gateway } from "../gateway.ts";

const freshForMs = 250;

/** `ops` asks for the admin token. */
export function memberRoute(ops: FastifyInstance, { queue }: Gateway): void {
  let last = { atMs: Number.NEGATIVE_INFINITY, look: Promise.resolve<OpsMembers>({ atMs: 0, groups: [] }) };
  ops.get(
    "/ops/members",
    {
      schema: {
        tags: ["ops"],
        summary: "Groups with their members, and each partition's owner, fencing epoch, offset and lag",
        response: { 200: OpsMembers, "4xx": Problem },
      },
    },
    () => {
      const atMs = performance.now();
      if (atMs - last.atMs >= freshForMs) last = { atMs, look: lookAt(queue) };
      return last.look;
    },
  );
}

async function lookAt(queue: Queue): Promise<OpsMembers> {
  const atMs = queue.now();
  const described = await describeGroups(queue.engine);
  return {
    atMs,
    groups: described.map(({ group, topic, members, partitions }) => ({
      group,
      topic,
      members: [...members],
      partitions: partitions.map(({ owner, epoch, leasedUntilMs, ...offsets }) => ({
        ...offsets,
        owner: owner ?? null,
        process: owner === undefined ? null : memberTraits(owner).process,
        epoch: epoch ?? null,
        leasedUntilMs: leasedUntilMs ?? null,
      })),
    })),
  };
}

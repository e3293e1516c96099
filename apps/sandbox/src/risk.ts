/** The risk scorer: an opinion on each subject of a batch, 0 (harmless) to 1 (fraud). The same subject, the same score. */
import { createHash } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { type Guard, parse } from "./edge.ts";

const Subject = z.strictObject({
  id: z.string().min(1).max(200),
  userId: z.string().max(200),
  deviceId: z.string().max(200).optional(),
  address: z.string().max(200),
});
const ScoresBody = z.strictObject({ subjects: z.array(Subject).max(10_000) });

export function serveRisk(app: FastifyInstance, guard: Guard): void {
  app.post("/risk/scores", async (request, reply) => {
    const { subjects } = parse(ScoresBody, request.body);
    return guard(reply, () => ({
      status: 200,
      body: { scores: subjects.map((subject) => ({ id: subject.id, score: scoreOf(subject) })) },
    }));
  });
}

/** Emulators are how crowds of made-up buyers come; everybody else scores below 0.3. */
function scoreOf({ userId, deviceId }: z.infer<typeof Subject>): number {
  if (deviceId?.startsWith("emulator-")) return 0.97;
  return (createHash("sha256").update(userId).digest().readUInt16BE(0) / 0xffff) * 0.3;
}

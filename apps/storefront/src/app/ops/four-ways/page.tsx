import type { FourWaysReport } from "@plateau/domain/four-ways";
import { translator } from "../../../language/server.ts";
import { Words } from "../../../language/words.tsx";
import { AdminSignIn } from "../../../ops/admin-sign-in.tsx";
import { FourWays } from "../../../ops/four-ways.tsx";
import { ask } from "../../../server/backend.ts";
import "../../ops.css";

export async function generateMetadata() {
  const words = await translator("ops");
  return { title: words("views.ways") };
}

export default async function FourWaysPage() {
  const report = await ask<FourWaysReport>("/api/ops/four-ways");
  const stranger = !report.ok && report.status === 401;
  return (
    <Words of={["ops"]}>
      {stranger ? <AdminSignIn /> : <FourWays initial={report.ok ? report.body : undefined} />}
    </Words>
  );
}

/**
 * One shopper's purchase over HTTP, to its end: a 202 is followed to where it points.
 *
 * What can go wrong: no answer, or none that the endpoint promises. Both are `failed`: the shopper knows nothing.
 */
import type { Dispatcher } from "undici";

/** As the shopper sees it. */
export type Outcome = "accepted" | "declined" | "refused" | "failed";

export interface Try {
  readonly saleId: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly signal: AbortSignal;
}

const outcomeOfStatus = new Map<number, Outcome>([
  [201, "accepted"],
  [403, "declined"],
  [409, "declined"],
  [429, "refused"],
]);
const outcomeOfState = new Map<string, Outcome>([
  ["won", "accepted"],
  ["sold_out", "declined"],
  ["rejected", "declined"],
]);

export async function buy(connection: Dispatcher, { saleId, userId, deviceId, signal }: Try): Promise<Outcome> {
  const headers = { authorization: `Bearer ${userId}`, "idempotency-key": userId, "x-device-id": deviceId };
  try {
    const answer = await connection.request({
      method: "POST",
      path: `/api/sales/${saleId}/purchases`,
      headers: { ...headers, "content-type": "application/json" },
      body: "{}",
      signal,
    });
    const body = (await answer.body.json()) as { readonly code?: string };
    const { location } = answer.headers;
    if (answer.statusCode === 202 && typeof location === "string") {
      return await follow(connection, { location, headers, signal });
    }
    if (answer.statusCode === 503 && body.code === "overloaded") return "refused";
    return outcomeOfStatus.get(answer.statusCode) ?? "failed";
  } catch {
    return "failed";
  }
}

/** The other side holds the question until it knows the end, or for a while. */
async function follow(
  connection: Dispatcher,
  { location, headers, signal }: { location: string; headers: Record<string, string>; signal: AbortSignal },
): Promise<Outcome> {
  for (;;) {
    const answer = await connection.request({ method: "GET", path: location, headers, signal });
    const body = (await answer.body.json()) as { readonly state?: string; readonly code?: string };
    if (answer.statusCode !== 200) return body.code === "overloaded" ? "refused" : "failed";
    if (body.state !== "queued") return outcomeOfState.get(body.state ?? "") ?? "failed";
  }
}

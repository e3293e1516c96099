/** `publish-durable`: messages per second through the log engine, each on disk before it is acknowledged. */
import { benchPublishDurable } from "../../queue-core/bench/publish-durable.ts";
import type { BenchRow } from "./table.ts";

export async function benchPublish(): Promise<readonly BenchRow[]> {
  return [{ ...(await benchPublishDurable()), bar: 50_000 }];
}

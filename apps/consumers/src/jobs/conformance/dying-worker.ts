/** A process that begins each job and never ends one: tells its parent what it began, until it is killed. */
import { openStore, type StorePlace } from "./job-store.ts";
import { textKind } from "./text-kind.ts";

const place = JSON.parse(process.env.STORE ?? "") as StorePlace;
const { jobs } = await openStore(place);
await jobs.work(textKind(), ({ id }) => {
  process.send?.({ began: id });
  return new Promise(() => undefined);
});
process.once("disconnect", () => process.exit(1));

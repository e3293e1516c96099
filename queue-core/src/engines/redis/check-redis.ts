/**
 * A first look at a Redis before anything is built on it: is it there, does it let us in, is it new enough?
 *
 * What can go wrong: an address that nobody answers at, one behind which something else than Redis listens, a password
 * that is missing or wrong. Promises: each is told in one line without credentials, within `withinMs`; nothing is
 * written, and no connection stays.
 */
import { QueueError } from "../../errors.ts";
import { clientMaker, describeAddress, describeFault, type RedisAddress } from "./connection.ts";
import { checkVersion } from "./settings.ts";

/** Rejects with UNREACHABLE, or with INVALID_ARGUMENT where it is no address or the server is too old. */
export async function checkRedis(options: {
  readonly address: RedisAddress;
  /** Default 5,000. */
  readonly withinMs?: number;
}): Promise<void> {
  const { address, withinMs = 5_000 } = options;
  const client = clientMaker(address, "queue-core check")();
  let fault: string | undefined;
  client.on("error", (error: Error) => {
    fault ??= describeFault(error);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${withinMs} ms`)), withinMs);
  });
  const look = async () => {
    await client.connect();
    // Who is not let in is refused everything but this.
    await client.ping();
    // A database that is not there: the client tells, and would go on in another one.
    if (fault !== undefined) throw new Error(fault);
    await checkVersion(client);
  };
  try {
    await Promise.race([look(), late]);
  } catch (error) {
    if (error instanceof QueueError && error.code !== "UNREACHABLE") throw error;
    const why = plain(fault ?? describeFault(error));
    throw new QueueError("UNREACHABLE", `Redis at ${describeAddress(address)} cannot be used: ${why}`);
  } finally {
    clearTimeout(timer);
    client.disconnect();
  }
}

/** What the library says, in words for whoever set the address. */
function plain(fault: string): string {
  if (/^(Stream isn't writeable|Connection is closed)/.test(fault)) return "what listens there closed the connection";
  return fault.startsWith("Unknown RESP type") ? "what listens there is no Redis" : fault;
}

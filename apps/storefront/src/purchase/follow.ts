/**
 * Follows a purchase until nothing changes any more: by server-sent events, and by polling where they fail.
 *
 * What can go wrong: a proxy that holds events back, too many streams (429, 503), a broken connection, a page that
 * slept. After the second failure of the stream polling takes over; waking asks at once. Answers can arrive out of
 * order: a purchase that has ended never goes back.
 */
import type { Purchase } from "@plateau/domain/http";
import type { Reply } from "../browser/api.ts";

export interface EventStream {
  addEventListener(type: string, listener: (event: { readonly data?: unknown }) => void): void;
  close(): void;
  /** 2 when it gave up. */
  readonly readyState: number;
}

export interface FollowDeps {
  readonly openEvents: () => EventStream | undefined;
  readonly ask: () => Promise<Reply<Purchase>>;
  readonly wait: (ms: number) => Promise<void>;
  readonly show: (purchase: Purchase) => void;
}

export interface Following {
  /** Asks at once, such as when the page wakes. */
  refresh(): void;
  stop(): void;
}

const streamClosed = 2;
const streamFailuresMax = 2;
const pollMs = { queued: 1_000, won: 2_000 };
const pauseAfterLossMs = 2_000;

export const isFinal = ({ state }: Purchase): boolean => state !== "queued" && state !== "won";

/** Later states win over earlier ones, whichever way they came. */
export function newer(shown: Purchase | undefined, heard: Purchase): boolean {
  if (shown === undefined || shown.id !== heard.id) return true;
  return rank(heard) >= rank(shown);
}

const rank = (purchase: Purchase): number => (isFinal(purchase) ? 2 : purchase.state === "won" ? 1 : 0);

export function follow(deps: FollowDeps): Following {
  let stopped = false;
  let polling = false;
  let failures = 0;
  let last: Purchase | undefined;
  let events: EventStream | undefined;

  const stop = () => {
    stopped = true;
    events?.close();
  };
  const hear = (purchase: Purchase) => {
    if (stopped || !newer(last, purchase)) return;
    last = purchase;
    deps.show(purchase);
    if (isFinal(purchase)) stop();
  };
  const askOnce = async (): Promise<boolean> => {
    const reply = await deps.ask();
    if (reply.kind === "ok") hear(reply.body);
    return reply.kind === "ok";
  };
  const poll = async () => {
    if (polling) return;
    polling = true;
    while (!stopped) {
      const heard = await askOnce();
      if (stopped) return;
      await deps.wait(heard ? pollMs[last?.state === "won" ? "won" : "queued"] : pauseAfterLossMs);
    }
  };
  const listen = (stream: EventStream) => {
    const onData = (event: { readonly data?: unknown }) => {
      if (typeof event.data !== "string") return;
      failures = 0;
      hear(JSON.parse(event.data) as Purchase);
    };
    stream.addEventListener("message", onData);
    stream.addEventListener("purchase", onData);
    stream.addEventListener("error", () => {
      failures += 1;
      if (stream.readyState !== streamClosed && failures < streamFailuresMax) return;
      stream.close();
      void poll();
    });
  };

  events = deps.openEvents();
  if (events === undefined) void poll();
  else listen(events);
  return { stop, refresh: () => void (stopped ? undefined : askOnce()) };
}

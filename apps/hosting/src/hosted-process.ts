/**
 * The life of a child of the supervisor, seen from inside the child.
 *
 * starting → ready → stopping → gone. It stops when told to, on SIGTERM or SIGINT, and when the channel to its
 * supervisor closes, which is how it learns that the supervisor was killed. A stop that takes too long ends in an
 * exit all the same: nothing that the system promises depends on a graceful stop.
 */
import { flushCompileCache } from "node:module";
import { StartProblem } from "./start-problem.ts";

const stopWithinMs = 4_000;

export interface Hosted<R> {
  /** Told to the supervisor. */
  readonly ready: R;
  stop(): Promise<void>;
  /** Resolves with the reason when it can no longer do its work. */
  readonly failed?: Promise<unknown>;
}

export type HostMessage<R> =
  | { readonly type: "ready"; readonly ready: R }
  | { readonly type: "failed"; readonly problem: string }
  /** Whatever a child has to tell besides, at any time. */
  | { readonly type: "news"; readonly news: unknown };

/** To the supervisor; nobody hears it where there is none. */
export function tellNews(news: unknown): void {
  process.send?.({ type: "news", news } satisfies HostMessage<never>);
}

export function hostProcess<R>(start: () => Promise<Hosted<R>>): void {
  let stopping = false;
  const started = start();
  const stop = (code: number): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(code === 0 ? 1 : code), stopWithinMs).unref();
    started
      .then((hosted) => hosted.stop())
      .then(
        () => process.exit(code),
        () => process.exit(1),
      );
  };
  process.on("message", (message) => {
    if (message === "stop") stop(0);
  });
  process.on("disconnect", () => stop(1));
  process.on("SIGTERM", () => stop(0));
  process.on("SIGINT", () => stop(0));
  started.then(
    (hosted) => {
      process.send?.({ type: "ready", ready: hosted.ready } satisfies HostMessage<R>);
      // Kept also for a process that will be killed.
      flushCompileCache();
      void hosted.failed?.then((reason) => {
        if (stopping) return;
        console.error(`${process.title}: ${describe(reason)}`);
        stop(1);
      });
    },
    (error: unknown) => {
      // Whoever supervises it tells the line of a problem in the surroundings.
      if (!(error instanceof StartProblem)) console.error(error);
      else if (process.send === undefined) console.error(error.message);
      if (process.send === undefined) process.exit(1);
      process.send({ type: "failed", problem: describe(error) } satisfies HostMessage<R>, () => process.exit(1));
    },
  );
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

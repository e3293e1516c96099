/** Engines that break a promise, so that the model can show that it notices. */
import type { Commit, Engine } from "../../src/index.ts";
import { withOverrides } from "../queue-bed.ts";

type Commits = (commit: Commit) => ReturnType<Engine["commit"]>;

/** Every commit passes; each n-th of those that fit is changed. */
function everyNth(
  n: number,
  fits: (commit: Commit) => boolean,
  change: (commit: Commit, commit2: Commits) => ReturnType<Commits>,
) {
  return (engine: Engine): Engine => {
    let count = 0;
    const commits: Commits = (commit) => engine.commit(commit);
    return withOverrides(engine, {
      commit: (commit) => (fits(commit) && ++count % n === 0 ? change(commit, commits) : commits(commit)),
    });
  };
}

const appends = (topic: string) => (commit: Commit) =>
  commit.append?.some((message) => message.topic === topic) === true;
const writes = (prefix: string) => (commit: Commit) =>
  commit.put?.some(({ namespace, value }) => namespace.startsWith(prefix) && value !== null) === true;

export const plantedFaults: Readonly<Record<string, (engine: Engine) => Engine>> = {
  "a message is acknowledged and not stored": everyNth(3, appends("jobs"), async (commit, next) => {
    const receipt = await next({ ...commit, append: [] });
    return { ...receipt, offsets: commit.append?.map(() => 0) ?? [] };
  }),
  "a message is stored twice": everyNth(3, appends("jobs"), async (commit, next) => {
    await next({ append: commit.append ?? [] });
    return next(commit);
  }),
  "a decision's state is forgotten": everyNth(3, writes("ledger/"), (commit, next) => next({ ...commit, put: [] })),
  "a decision's emission is forgotten": everyNth(3, appends("booked"), (commit, next) =>
    next({ ...commit, append: commit.append?.filter(({ topic }) => topic !== "booked") ?? [] }),
  ),
  "an offset does not move with its decision": everyNth(
    3,
    (commit) => commit.advance?.group === "ledger",
    ({ advance: _, ...commit }, next) => next(commit),
  ),
  "an expectation is not looked at": everyNth(1, writes("$seen/"), ({ expect: _, ...commit }, next) => next(commit)),
  "a dead letter is forgotten": everyNth(1, writes("$dead/workers"), (commit, next) => next({ ...commit, put: [] })),
  "a delayed message comes early": (engine) =>
    withOverrides(engine, {
      now: () => engine.now(),
      scanState: (namespace, { after, limit }) =>
        engine.scanState(namespace, after === undefined ? { limit } : { after, limit }),
    }),
  "a half message is committed for a rollback": everyNth(1, writes("$half-rolled-back/"), async (commit, next) => {
    const value = Buffer.from(JSON.stringify({ n: 0, key: "a", isBad: false }));
    return next({ ...commit, append: [{ topic: "jobs", partition: 0, key: "a", value }] });
  }),
  "a reader gets messages in another order": (engine) =>
    withOverrides(engine, {
      read: async (...call) => {
        const messages = await engine.read(...call);
        const [first, second, ...rest] = messages;
        if (call[0] !== "jobs" || first === undefined || second === undefined) return messages;
        return [{ ...second, offset: first.offset }, { ...first, offset: second.offset }, ...rest];
      },
    }),
  "a reply is sent to nobody": everyNth(2, appends("replies"), (commit, next) =>
    next({ ...commit, append: commit.append?.filter(({ topic }) => topic !== "replies") ?? [] }),
  ),
};

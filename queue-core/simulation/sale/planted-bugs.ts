/**
 * Engines that break one promise each, to show that the simulation's oracles can fail. They stand between the queue
 * and the log, so that the log itself is whole: what is found, the oracles of the sale have found.
 */
import type { Commit, Engine } from "../../src/engine.ts";
import { passedOn } from "../passed-on.ts";

type Plant = (engine: Engine) => Partial<Engine>;

const nothing = { sequence: -1, timeMs: 0, offsets: [] };

export const plantedBugs: Readonly<Record<string, Plant>> = {
  "fences are ignored": (engine) => ({
    commit: ({ fence: _ignored, ...commit }) => engine.commit(commit),
  }),
  "expectations are ignored": (engine) => ({
    commit: ({ expect: _ignored, ...commit }) => engine.commit(commit),
  }),
  "a commit is two: the offset moves first": (engine) => ({
    async commit({ advance, ...commit }) {
      if (advance === undefined || commit.append === undefined) {
        return engine.commit({ ...commit, ...(advance === undefined ? {} : { advance }) });
      }
      await engine.commit({ advance, ...(commit.fence === undefined ? {} : { fence: commit.fence }) });
      return engine.commit(commit);
    },
  }),
  "a commit is two: the offset moves last": (engine) => ({
    async commit({ advance, ...commit }) {
      if (advance === undefined || commit.append === undefined) {
        return engine.commit({ ...commit, ...(advance === undefined ? {} : { advance }) });
      }
      const receipt = await engine.commit(commit);
      await engine.commit({ advance, ...(commit.fence === undefined ? {} : { fence: commit.fence }) });
      return receipt;
    },
  }),
  "some publishes are acknowledged and dropped": (engine) => ({
    commit: (commit) => (isPublish(commit, 13) ? Promise.resolve(nothing) : engine.commit(commit)),
  }),
  "some publishes are stored twice": (engine) => ({
    async commit(commit) {
      const receipt = await engine.commit(commit);
      if (isPublish(commit, 13)) await engine.commit(commit);
      return receipt;
    },
  }),
  "some publishes are stored although they were refused": (engine) => ({
    async commit(commit) {
      const receipt = await engine.commit(commit);
      if (isPublish(commit, 13)) throw await refusal(engine);
      return receipt;
    },
  }),
  "dead letters are not kept": (engine) => ({
    commit: (commit) => engine.commit(withPuts(commit, (namespace) => !namespace.startsWith("$dead/"))),
  }),
  "half messages are not taken away when they end": (engine) => ({
    commit: (commit) =>
      engine.commit(withPuts(commit, (namespace, value) => !(namespace.startsWith("$half/") && value === null))),
  }),
  "delayed messages come early": (engine) => ({
    scanState: (namespace, options) => {
      const { before, ...rest } = options;
      return engine.scanState(namespace, namespace.startsWith("$delay/") || before === undefined ? rest : options);
    },
  }),
  "the offset of a consumer is one too far": (engine) => ({
    async commit(commit) {
      const { advance, append } = commit;
      if (advance === undefined || append !== undefined || commit.fence === undefined) return engine.commit(commit);
      const { end } = await engine.range(advance.topic, advance.partition);
      return engine.commit({ ...commit, advance: { ...advance, to: Math.min(end, advance.to + 1) } });
    },
  }),
  "what is read is out of order": (engine) => ({
    async read(topic, partition, from, limits) {
      const messages = [...(await engine.read(topic, partition, from, limits))];
      const [first, second] = messages;
      if (first === undefined || second === undefined || first.key !== second.key) return messages;
      return [{ ...second, offset: first.offset }, { ...first, offset: second.offset }, ...messages.slice(2)];
    },
  }),
  "state is read as it was before the last write": (engine) => {
    const before = new Map<string, readonly (Buffer | undefined)[]>();
    return {
      async readState(namespace, keys) {
        const place = `${namespace} ${keys.join(" ")}`;
        const values = await engine.readState(namespace, keys);
        const stale = before.get(place) ?? values;
        before.set(place, values);
        return namespace.startsWith("stock/") ? stale : values;
      },
    };
  },
  "replies go to whoever waits": (engine) => {
    let last: string | undefined;
    return {
      commit(commit) {
        const append = commit.append?.map((message) => {
          if (message.topic !== "replies") return message;
          const key = last ?? message.key;
          last = message.key;
          return { ...message, key };
        });
        return engine.commit(append === undefined ? commit : { ...commit, append });
      },
    };
  },
};

export function planted(name: string): (engine: Engine) => Engine {
  const plant = plantedBugs[name];
  if (plant === undefined) throw new Error(`there is no bug ${name}`);
  return (engine) => passedOn(engine, plant(engine));
}

/** A plain publish whose bytes say so: about one in `n`, always the same ones. */
function isPublish({ append, advance, put }: Commit, n: number): boolean {
  const [message] = append ?? [];
  if (message === undefined || advance !== undefined || put !== undefined || append?.length !== 1) return false;
  return message.value.reduce((sum, byte) => sum + byte, 0) % n === 0;
}

function withPuts(commit: Commit, isKept: (namespace: string, value: Buffer | null) => boolean): Commit {
  const { put, ...rest } = commit;
  return put === undefined ? commit : { ...rest, put: put.filter(({ namespace, value }) => isKept(namespace, value)) };
}

/** As the engine would refuse it. */
async function refusal(engine: Engine): Promise<unknown> {
  try {
    await engine.commit({ expect: [{ namespace: "none", key: "none", is: "present" }] });
  } catch (error) {
    return error;
  }
  return undefined;
}

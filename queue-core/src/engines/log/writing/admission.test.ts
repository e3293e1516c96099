import { describe, expect, it } from "vitest";
import type { Commit, Lease } from "../../../engine.ts";
import { Admission, sift } from "./admission.ts";

const lease = (partition: number): Lease => ({ group: "g", topic: "t", partition, member: "m", epoch: 1 });
const message = { topic: "t", partition: 0, key: "k", value: Buffer.from("v") };
const put = [{ namespace: "n", key: "k", value: Buffer.from("v") }];

const commits = {
  publish: { append: [message] },
  "entry that waits": { put },
  "owner that emits": { fence: lease(0), append: [message], put },
  acknowledgement: { fence: lease(0), advance: { group: "g", topic: "t", partition: 0, to: 1 } },
  "owner that writes": { fence: lease(0), append: [], put },
  "question in the order of commits": {},
} satisfies Record<string, Commit>;

function admission(mode: "serving" | "full") {
  const looks: number[] = [];
  const made = new Admission({ mode, look: () => looks.push(1) });
  return { admission: made, looks };
}

describe("admission", () => {
  it("admits everything while there is room", () => {
    const { admission: serving } = admission("serving");
    expect(Object.values(commits).filter((commit) => !serving.admits(commit))).toEqual([]);
  });

  it("on a full disk admits what moves offsets and an owner's state, and nothing that adds to the log", () => {
    const { admission: full } = admission("full");
    const admitted = Object.entries(commits).filter(([, commit]) => full.admits(commit));
    expect(admitted.map(([name]) => name)).toEqual([
      "acknowledgement",
      "owner that writes",
      "question in the order of commits",
    ]);
  });

  it("looks at the disk upon a refusal, not before 500 ms are over, and never twice at once", () => {
    const { admission: full, looks } = admission("serving");
    full.foundFull("ENOSPC", 1_000);
    expect(full.refuse(1_499)).toMatchObject({ code: "STORAGE_FULL", outcome: "not_stored", retryAfterMs: 500 });
    expect(looks).toHaveLength(0);
    full.refuse(1_500);
    full.refuse(9_000);
    expect(looks).toHaveLength(1);
    full.looked(false);
    full.refuse(1_999);
    expect(looks).toHaveLength(1);
    full.refuse(2_000);
    expect(looks).toHaveLength(2);
    full.looked(true);
    expect(full.admits(commits.publish)).toBe(true);
  });

  it("refuses an answer that nobody asked for", () => {
    expect(() => admission("serving").admission.looked(true)).toThrow("looked while serving");
  });
});

describe("a batch without room", () => {
  const sifted = (...batch: Commit[]) => {
    const waiting = batch.map((commit) => ({ reservation: { commit } }));
    const { again, refused } = sift(waiting);
    const indexes = (some: readonly (typeof waiting)[number][]) => some.map((each) => waiting.indexOf(each));
    return { again: indexes(again), refused: indexes(refused) };
  };

  it("lets acknowledgements through again in their order, and refuses the publishes beside them", () => {
    const { publish, acknowledgement } = commits;
    expect(sifted(publish, acknowledgement, publish, acknowledgement)).toEqual({ again: [1, 3], refused: [0, 2] });
  });

  it("refuses what an owner committed after a commit of its own that is refused, and no other owner's", () => {
    const other = { fence: lease(1), put };
    const { acknowledgement } = commits;
    expect(sifted(acknowledgement, commits["owner that emits"], acknowledgement, other)).toEqual({
      again: [0, 3],
      refused: [1, 2],
    });
  });

  it("refuses a question whether an earlier commit was stored, since that one is refused too", () => {
    expect(sifted(commits.publish, {})).toEqual({ again: [], refused: [0, 1] });
  });
});

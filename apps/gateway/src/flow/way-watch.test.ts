import { allTopics, groups, purchaseRequests, type RequestMessage } from "@plateau/domain";
import { createMemoryEngine, done, manualClock, openQueue, type Queue } from "queue-core";
import { expect, onTestFinished, test } from "vitest";
import { overriding } from "../testing/faulty-queue.ts";
import { WayWatch } from "./way-watch.ts";

async function bed() {
  const clock = manualClock(1_000_000);
  const queue = await openQueue({ engine: createMemoryEngine({ clock }), topics: allTopics });
  let looks = 0;
  const counted = overriding<Queue>(queue, {
    groupStatistics: (group, topic) => {
      looks++;
      return queue.groupStatistics(group, topic);
    },
  });
  const watch = new WayWatch(counted);
  onTestFinished(async () => {
    watch.stop();
    await queue.stop();
  });
  const requests = async (): Promise<{ lag: number; looked: boolean; atMs: number }> => {
    const before = looks;
    const { edges, atMs } = await watch.read();
    const found = edges.find(({ edge }) => edge.id === "requests");
    return { lag: found?.lagMessages ?? -1, looked: looks > before, atMs };
  };
  const ask = () => queue.publish(purchaseRequests, { type: "resolve", userId: "u_1" } as unknown as RequestMessage);
  return { clock, queue, requests, ask };
}

test("a way that stands still is told of without a look, as of now, and looked at every ten seconds anyway", async () => {
  const { clock, requests } = await bed();
  expect(await requests()).toMatchObject({ lag: 0, looked: true });
  clock.advance(9_999);
  expect(await requests()).toEqual({ lag: 0, looked: false, atMs: 1_009_999 });
  clock.advance(1);
  expect(await requests()).toMatchObject({ lag: 0, looked: true });
});

test("what is appended is seen, and looked after until nothing of it waits", async () => {
  const { queue, requests, ask } = await bed();
  await requests();
  await ask();
  expect(await requests()).toMatchObject({ lag: 1, looked: true });
  expect(await requests()).toMatchObject({ lag: 1, looked: true });
  await queue.consume({ group: groups.risk, topic: purchaseRequests, handle: async () => done });
  await expect.poll(requests).toMatchObject({ lag: 0, looked: true });
  expect(await requests()).toMatchObject({ lag: 0, looked: false });
});

test("after a look that failed it is looked again", async () => {
  const { queue, requests } = await bed();
  await requests();
  const failing = new WayWatch(overriding<Queue>(queue, { groupStatistics: () => Promise.reject(new Error("down")) }));
  await expect(failing.read()).rejects.toThrow("down");
  await expect(failing.read()).rejects.toThrow("down");
  failing.stop();
});

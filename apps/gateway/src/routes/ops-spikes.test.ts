import { ControlHistory, type Knobs, Sales, type SpikeStatus, Spikes, spikeScenarios } from "@plateau/domain";
import { expect, test } from "vitest";
import type { SpikeLoad, SpikePlayer } from "../spikes/spike-player.ts";
import { adminToken, type GatewayBed, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();
const admin = { token: adminToken };

/** Plays nothing by itself: the test says when it is over. */
class HeldPlayer implements SpikePlayer {
  readonly loads: SpikeLoad[] = [];
  #played = Promise.withResolvers<void>();

  play(load: SpikeLoad, onProgress: Parameters<SpikePlayer["play"]>[1]) {
    this.loads.push(load);
    this.#played = Promise.withResolvers<void>();
    onProgress({ sent: 5, answered: 4, answers: { 202: 4 }, outcomes: { queued: 4 } });
    return { played: this.#played.promise, stop: async () => this.#played.resolve() };
  }

  finish(): void {
    this.#played.resolve();
  }

  fail(problem: string): void {
    this.#played.reject(new Error(problem));
  }
}

const begin = (bed: GatewayBed, scenario: string) =>
  bed.call("POST", "/api/ops/spikes", { ...admin, body: { scenario } });

async function reaches(bed: GatewayBed, state: SpikeStatus["state"]): Promise<SpikeStatus> {
  const answer = await bed.until(
    () => bed.call("GET", "/api/ops/spikes", admin),
    ({ body }) => Spikes.parse(body).current?.state === state,
  );
  return Spikes.parse(answer.body).current as SpikeStatus;
}

test("a spike makes its own sale, tells how it goes, and leaves everything as it was", async () => {
  const spikePlayer = new HeldPlayer();
  const bed = await startBed({ spikePlayer });
  const before: Knobs = bed.knobs.get();
  expect((await begin(bed, "ten-times")).status).toBe(202);
  const running = await reaches(bed, "running");
  expect(running).toMatchObject({ scenario: "ten-times", sent: 5, answers: { 202: 4 } });
  expect(running.offeredPerSecond).toBe(10 * running.capacityPerSecond);
  expect(bed.knobs.get().backlogMax).toBe(running.capacityPerSecond * 12);
  const [load] = spikePlayer.loads;
  expect(load).toMatchObject({ url: bed.url, saleId: running.saleId, seconds: 20 });
  const bought = await bed.buy(load?.saleId ?? "", load?.tokens[0] ?? "");
  expect(bought.status).toBe(201);
  expect((await begin(bed, "quiet")).body).toMatchObject({ status: 409, code: "spike-running" });
  spikePlayer.finish();
  const ended = await reaches(bed, "ended");
  expect(ended.endedAtMs).not.toBeNull();
  expect(bed.knobs.get()).toEqual(before);
  const { sales } = Sales.parse((await bed.call("GET", "/api/sales")).body);
  expect(sales.find(({ id }) => id === running.saleId)?.state).toBe("ended");
  const { marks } = ControlHistory.parse((await bed.call("GET", "/api/ops/history", admin)).body);
  const told = marks.filter(({ kind }) => kind.startsWith("spike"));
  expect(told.map(({ kind, what, by }) => [kind, what, by])).toEqual([
    ["spike-began", "ten-times", "spike"],
    ["spike-ended", "ten-times", "spike"],
  ]);
});

test("a spike that is stopped sends no more, and restores what nobody turned since", async () => {
  const bed = await startBed({ spikePlayer: new HeldPlayer() });
  await begin(bed, "worker-dies");
  await reaches(bed, "running");
  expect(bed.knobs.get().workers).toBe(2);
  await bed.call("PATCH", "/api/ops/knobs", { ...admin, body: { workers: 5 } });
  const stopped = await bed.call("DELETE", "/api/ops/spikes", admin);
  expect(stopped.body).toMatchObject({ state: "stopped" });
  expect(bed.knobs.get()).toMatchObject({ workers: 5, backlogMax: 100_000 });
  expect((await begin(bed, "quiet")).status).toBe(202);
});

test("a player that fails is told, and the next spike can be played", async () => {
  const spikePlayer = new HeldPlayer();
  const bed = await startBed({ spikePlayer });
  await begin(bed, "quiet");
  await reaches(bed, "running");
  spikePlayer.fail("the thread is gone");
  expect((await reaches(bed, "failed")).problem).toContain("the thread is gone");
  expect((await begin(bed, "quiet")).status).toBe(202);
});

test("the next start restores the settings of a spike that was cut short", async () => {
  const spikePlayer = new HeldPlayer();
  const bed = await startBed({ spikePlayer });
  await begin(bed, "ten-times");
  await reaches(bed, "running");
  expect(bed.knobs.get().backlogMax).not.toBe(100_000);
  // As after a crash: another gateway opens on what this one left.
  await bed.startGateway();
  expect(bed.knobs.get().backlogMax).toBe(100_000);
});

test("without a player none can be played, and the answer says why; strangers play nothing", async () => {
  const bed = await startBed();
  const spikes = Spikes.parse((await bed.call("GET", "/api/ops/spikes", admin)).body);
  expect(spikes.scenarios.map(({ id }) => id)).toEqual(spikeScenarios);
  expect(spikes.unavailable).toContain("npm run load");
  expect((await begin(bed, "quiet")).status).toBe(404);
  expect((await begin(bed, "moon")).status).toBe(400);
  expect((await bed.call("POST", "/api/ops/spikes", { body: { scenario: "quiet" } })).status).toBe(401);
});

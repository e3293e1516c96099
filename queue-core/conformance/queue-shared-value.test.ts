import { expect, it } from "vitest";
import { openSharedValue, QueueError } from "../src/index.ts";
import { leftOpen, onEveryDurableEngine, onEveryEngine, withOverrides } from "./queue-bed.ts";

interface Settings {
  readonly rate: number;
  readonly name: string;
}

const initial: Settings = { rate: 1, name: "first" };

function decode(stored: unknown): Settings {
  const settings = stored as Settings;
  if (typeof settings.rate !== "number") throw new TypeError("no rate");
  return settings;
}

onEveryEngine("shared values", (bed) => {
  const open = (engine = bed().engine) =>
    openSharedValue({
      engine,
      name: "settings",
      initial,
      decode,
      onBackgroundError: (where, error) => bed().faults.push({ where, error }),
    });

  it("are what they were opened with until somebody changes them, and then everywhere what was stored", async () => {
    const [one, other] = [await open(), await open()];
    expect([one.get(), other.get()]).toEqual([initial, initial]);
    expect(await one.change((before) => ({ ...before, rate: 2 }))).toEqual({ rate: 2, name: "first" });
    expect(one.get().rate).toBe(2);
    await bed().eventually(() => other.get().rate === 2);
    expect((await open()).get()).toEqual({ rate: 2, name: "first" });
  });

  it("lose no change of two that were made at once", async () => {
    const [one, other] = [await open(), await open()];
    const changes = Array.from({ length: 10 }, (_, n) =>
      (n % 2 === 0 ? one : other).change((before) => ({ ...before, rate: before.rate + 1 })),
    );
    await Promise.all(changes);
    expect((await open()).get().rate).toBe(11);
  });

  it("stay as they are where a change throws", async () => {
    const one = await open();
    await expect(
      one.change(() => {
        throw new RangeError("no such rate");
      }),
    ).rejects.toThrow("no such rate");
    expect([one.get(), (await open()).get()]).toEqual([initial, initial]);
  });

  it("keep the last value that could be read, and refuse to be changed from one that cannot", async () => {
    const one = await open();
    const stranger = await openSharedValue<unknown>({
      engine: bed().engine,
      name: "settings",
      initial: {},
      decode: (stored) => stored,
    });
    await stranger.change(() => ({ speed: "high" }));
    await bed().eventually(() => bed().faults.length > 0);
    expect(one.get()).toEqual(initial);
    await expect(one.change((before) => before)).rejects.toThrow("no rate");
  });

  it("tell whoever changes them that the engine did not store it", async () => {
    const engine = withOverrides(leftOpen(bed().engine), {
      commit: () => Promise.reject(new QueueError("STORAGE_FULL")),
    });
    const one = await open(engine);
    await expect(one.change((before) => ({ ...before, rate: 5 }))).rejects.toMatchObject({ code: "STORAGE_FULL" });
    expect(one.get()).toEqual(initial);
  });

  it("hear of nothing any more once stopped", async () => {
    const [one, other] = [await open(), await open()];
    other.stop();
    await one.change((before) => ({ ...before, rate: 2 }));
    await bed().settle();
    expect(other.get()).toEqual(initial);
  });
});

onEveryDurableEngine("shared values", (bed) => {
  it("are kept across a restart", async () => {
    const open = () => openSharedValue({ engine: bed().engine, name: "settings", initial, decode });
    await (await open()).change((before) => ({ ...before, rate: 9 }));
    await bed().restart();
    expect((await open()).get().rate).toBe(9);
  });
});

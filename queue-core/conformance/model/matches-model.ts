/** The property: whatever commands come, queue and model agree after each, and at the end. */
import fc from "fast-check";
import type { Engine } from "../../src/index.ts";
import { anyCommands } from "./commands.ts";
import { Model } from "./model.ts";
import { World } from "./world.ts";

/** `heard` is told what happened in each run; `plant` puts a fault between queue and engine. */
export function matchesModel(
  heard: (seen: Readonly<Record<string, number>>) => void,
  plant?: (engine: Engine) => Engine,
) {
  return fc.asyncProperty(anyCommands, async (commands) => {
    const model = new Model();
    const world = new World(model, plant);
    await world.open();
    await fc.asyncModelRun(() => ({ model, real: world }), commands);
    await world.finish();
    heard(model.seen);
  });
}

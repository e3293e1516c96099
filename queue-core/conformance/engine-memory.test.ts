import { manualClock } from "../src/engines/clock.ts";
import { createMemoryEngine } from "../src/engines/memory.ts";
import { engineConformance } from "./engine-suite.ts";

engineConformance({ title: "memory", durable: false }, async () => {
  const clock = manualClock();
  const engine = createMemoryEngine({ clock });
  return {
    engine,
    passTime: async (milliseconds) => clock.advance(milliseconds),
    reopen: () => Promise.reject(new Error("nothing survives")),
    dispose: () => engine.close(),
  };
});

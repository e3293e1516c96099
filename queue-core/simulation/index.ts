/** For simulations of what is built above queue-core: a machine in virtual time, which dies and starts again. */
export type { StepAsked } from "./disk-session.ts";
export { type Incarnation, Machine, type SimulatedProcess } from "./machine.ts";
export { passedOn } from "./passed-on.ts";
export { Random } from "./random.ts";
export { type Violation, World } from "./world.ts";

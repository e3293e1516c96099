/** The whole system as a function, for the demo, the tests above the apps, load tests and benchmarks. */
export { StartProblem } from "./start-problem.ts";
export { type System, type SystemOptions, startSystem } from "./system.ts";

/** The whole system as a function, for the demo, the tests above the apps, load tests and benchmarks. */
export { StartProblem } from "@plateau/hosting";
export {
  type Cluster,
  type ClusterKind,
  type ClusterOptions,
  type ClusterProcess,
  startCluster,
} from "./cluster-system.ts";
export { type OneWay, startOneWay } from "./one-way.ts";
export { type System, type SystemOptions, type SystemProcess, startSystem } from "./system.ts";

/**
 * queue-core <- domain <- apps. Apps never import each other; only apps/demo starts them, and the tests above them
 * (e2e, load-tests) reach the system through apps/demo and the domain alone, or over HTTP.
 * A run that found no modules would pass every rule, so the caller asserts a floor on their number.
 */
const app = "^apps/(?!domain/|hosting/|demo/)([^/]+)/";
const baseline = "^load-tests/bench/(baseline|system-calls|bullmq-flow/gateway)\\.ts$";

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "queue-core-imports-nothing-of-ours",
      severity: "error",
      from: { path: "^queue-core/" },
      to: { path: "^(apps|prisma|e2e|load-tests)/" },
    },
    {
      name: "domain-imports-queue-core-only",
      severity: "error",
      from: { path: "^apps/domain/" },
      to: { path: "^(apps/(?!domain/)|prisma/|e2e/|load-tests/)" },
    },
    {
      name: "domain-is-pure",
      comment: "What decides the sale has no I/O, so that it can be tested and replayed.",
      severity: "error",
      from: { path: "^apps/domain/src/", pathNot: "\\.test\\.ts$" },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?(crypto|buffer)$" },
    },
    {
      name: "apps-never-import-each-other",
      severity: "error",
      from: { path: app },
      to: { path: "^apps/(?!domain/|hosting/)", pathNot: "^apps/$1/" },
    },
    {
      name: "prisma-imports-no-app",
      severity: "error",
      from: { path: "^prisma/" },
      to: { path: "^(apps/(?!domain/)|e2e/|load-tests/)" },
    },
    {
      name: "nothing-imports-the-tests-above",
      severity: "error",
      from: { path: "^(apps|prisma|queue-core)/" },
      to: { path: "^(e2e|load-tests)/" },
    },
    {
      name: "tests-above-reach-apps-through-demo",
      severity: "error",
      from: { path: "^(e2e|load-tests)/", pathNot: baseline },
      to: { path: app },
    },
    {
      name: "baseline-takes-the-gateways-session-alone",
      comment: "What the gateway is measured against checks the very same session, so that only the rest differs.",
      severity: "error",
      from: { path: baseline },
      to: { path: app, pathNot: "^apps/gateway/src/session/" },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "not-to-unresolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^k6" },
    },
    {
      name: "tests-are-leaves",
      severity: "error",
      from: { pathNot: "\\.(test|spec)\\.tsx?$" },
      to: { path: "\\.(test|spec)\\.tsx?$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "next-env|(^|/)(node_modules|\\.next|\\.data|\\.tools|generated|dist)/" },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".tsx", ".mjs", ".js", ".json"],
    },
  },
};

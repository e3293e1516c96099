/**
 * Who may import whom, checked by dependency-cruiser under `.dependency-cruiser.cjs`.
 *
 * What can go wrong: a run that parses nothing (a TypeScript it cannot load, a moved folder) finds no violation
 * either, so the number of modules and of dependencies between them must reach a floor.
 */
import { createRequire } from "node:module";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import extractDepcruiseOptions from "dependency-cruiser/config-utl/extract-depcruise-options";
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config";
import { root } from "./run-step.ts";

const leastModules = 350;
const leastImports = 1_200;
const folders = ["apps", "queue-core", "prisma", "e2e", "load-tests"];

process.chdir(root);
const config = createRequire(import.meta.url).resolve("../../.dependency-cruiser.cjs");
const result = await cruise(folders, await extractDepcruiseOptions(config), undefined, {
  tsConfig: extractTSConfig("tsconfig.json"),
});
const { modules, summary } = result.output as ICruiseResult;
const own = modules.filter(({ source }) => folders.some((folder) => source.startsWith(`${folder}/`)));
const imports = own.reduce((sum, module) => sum + module.dependencies.length, 0);

for (const { rule, from, to } of summary.violations) console.error(`${rule.severity} ${rule.name}: ${from} → ${to}`);
console.log(`${own.length} modules, ${imports} imports, ${summary.error} violations`);
if (own.length < leastModules || imports < leastImports) {
  console.error(`fewer than ${leastModules} modules or ${leastImports} imports were found: the check saw too little`);
  process.exit(1);
}
process.exit(summary.error === 0 ? 0 : 1);

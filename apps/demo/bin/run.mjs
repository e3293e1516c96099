#!/usr/bin/env node
/**
 * The door of every npm script: `node apps/demo/bin/run.mjs <command> [arguments]`.
 *
 * This file holds only syntax that every Node since 14 parses, so that an old one gets one clear line instead of a
 * syntax error; everything newer is imported after the version is known.
 */
const found = process.versions.node;
if (Number(found.split(".")[0]) < 20) {
  console.error(`Node ${found} is too old: Node 20 or newer is needed (22.18 or newer is used as it is).`);
  process.exit(1);
}
const { enter } = await import("./entry.mjs");
await enter(process.argv.slice(2));

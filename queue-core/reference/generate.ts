/** Writes API.md anew: `node queue-core/reference/generate.ts`. */
import { writeFileSync } from "node:fs";
import { apiReference } from "./api-reference.ts";

writeFileSync(new URL("../API.md", import.meta.url), apiReference());

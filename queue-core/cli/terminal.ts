/**
 * Where a tool's lines go: results to standard output, problems to standard error.
 *
 * What can go wrong: the reader of a pipe goes away (`| head`). Promise: the process then ends without a word.
 */
import type { Print } from "./command.ts";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

export const printToTerminal: { readonly print: Print; readonly complain: Print } = {
  print: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`${line}\n`),
};

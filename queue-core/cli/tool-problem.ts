/** Something that whoever typed the command can put right: told in one line, without a stack, exit code 1. */
export class ToolProblem extends Error {
  override readonly name = "ToolProblem";
}

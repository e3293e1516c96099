/** Something in the surroundings keeps the system from starting; the message is one line for whoever started it. */
export class StartProblem extends Error {
  override readonly name = "StartProblem";
}

/** For `catch`: an error of that kind is the surroundings' and told by this line; others stay what they are. */
export function tellAs(kind: abstract new (...args: never[]) => Error, line: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof kind ? new StartProblem(line) : error;
  };
}

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

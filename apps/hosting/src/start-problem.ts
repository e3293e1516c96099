/** Something in the surroundings keeps the system from starting; the message is one line for whoever started it. */
export class StartProblem extends Error {
  override readonly name = "StartProblem";
}

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** A variable that whoever starts this process must set. Throws by name where it is missing. */
export function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`${name} is not set`);
  return value;
}

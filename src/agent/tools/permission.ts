/** Does a profile's list permit a tool? An entry that ends with `*` permits all that begin so. */
export function permits(allowed: readonly string[], name: string): boolean {
  return allowed.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : one === name));
}

/** The names that a model is told: those that the list says, and those of `known` that it permits. */
export function permittedNames(allowed: readonly string[], known: readonly string[]): string[] {
  const said = allowed.filter((one) => !one.endsWith('*'));
  return [...new Set([...said, ...known.filter((name) => permits(allowed, name))])];
}

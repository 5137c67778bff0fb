/** Does a profile's list permit a tool? An entry that ends with `*` permits all that begin so. */
export function permits(allowed: readonly string[], name: string): boolean {
  return allowed.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : one === name));
}

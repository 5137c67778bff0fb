/** What a profile wants differently from the configuration. */

/** Some of the settings. */
export type Changes<S> = { readonly [K in keyof S]?: S[K] | undefined };

/** The configured settings, with what the profile says instead. */
export function settingsFor<S extends object>(configured: S, overrides: Changes<S>): S {
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  return { ...configured, ...Object.fromEntries(given) };
}

/** The distribution's C libraries, loaded by soname: the system's loader knows where they are. */
import koffi from 'koffi';
import { messageOf, TrunklineError, type ErrorCode } from './errors.ts';

/** A C function; what it takes and gives is written in its prototype. */
export type NativeFunction = (...args: unknown[]) => unknown;

/** Handles stay referenced for the life of the process: a collected one would be unloaded under our feet. */
const loaded: { func: (prototype: string) => unknown }[] = [];

/**
 * Loads the first library that is there and binds the prototypes, by function name.
 * Throws `unavailable` when none is there or a function is missing.
 */
export function loadLibrary<Name extends string>(
  sonames: readonly string[],
  prototypes: Readonly<Record<Name, string>>,
  unavailable: ErrorCode,
): Record<Name, NativeFunction> {
  const failures: string[] = [];
  for (const soname of sonames) {
    try {
      const library = koffi.load(soname);
      loaded.push(library);
      const bound = Object.entries<string>(prototypes).map(([name, prototype]) => [
        name,
        library.func(prototype),
      ]);
      return Object.fromEntries(bound) as Record<Name, NativeFunction>;
    } catch (failure) {
      failures.push(`${soname}: ${messageOf(failure)}`);
    }
  }
  throw new TrunklineError(unavailable, failures.join('; '));
}

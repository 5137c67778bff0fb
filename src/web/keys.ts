/** Finding a secret among those that are known, without telling by the time it takes how close a guess is. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** The entry whose key is `given`; every key is compared, whatever matches. */
export function findByKey<T extends { readonly key: string }>(
  entries: readonly T[],
  given: string,
): T | undefined {
  const wanted = digest(given);
  let found: T | undefined;
  for (const entry of entries) if (timingSafeEqual(digest(entry.key), wanted)) found = entry;
  return found;
}

/** What is presented as `Authorization: Bearer` (RFC 6750 section 2.1), of at most `lengthMax` characters. */
export function bearerOf(authorization: string | undefined, lengthMax: number): string | undefined {
  const given = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  return given !== undefined && given.length <= lengthMax ? given : undefined;
}

/** Equal lengths for `timingSafeEqual`, which tells lengths apart. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

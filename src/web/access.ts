/** Who may come in: a token of the tenant's server, or the public key of a site that is on the key's list. */
import { TrunklineError } from '../base/errors.ts';
import { permissionsOf } from '../room/permissions.ts';
import { findByKey } from './keys.ts';
import type { WidgetKey } from './settings.ts';
import type { Grant, Tokens } from './tokens.ts';
import type { Ask } from './wire.ts';

/** `join` by somebody who was not here before. */
export type Entry = Exclude<Ask<'join'>, { resumeToken: string }>;

/** May a page of this origin open a connection? Programs that are no browser name none, and need a token. */
export function isOriginAllowed(
  origin: string | undefined,
  lists: readonly Pick<WidgetKey, 'origins'>[],
): boolean {
  return origin === undefined || lists.some((one) => one.origins.includes(origin));
}

/** @throws TrunklineError WEB_TOKEN_INVALID, WEB_KEY_INVALID */
export async function grantFor(
  entry: Entry,
  origin: string | undefined,
  access: { readonly keys: readonly WidgetKey[]; readonly tokens: Tokens },
): Promise<Grant> {
  if ('token' in entry) return access.tokens.read(entry.token);
  const known = findByKey(access.keys, entry.widgetKey);
  if (known === undefined) throw new TrunklineError('WEB_KEY_INVALID', 'no such widget key');
  if (origin === undefined || !known.origins.includes(origin))
    throw new TrunklineError('WEB_KEY_INVALID', `the widget key is not for ${origin ?? 'no origin'}`);
  if (!known.profiles.includes(entry.profile))
    throw new TrunklineError('WEB_KEY_INVALID', `the widget key is not for profile ${entry.profile}`);
  const { tenant } = known;
  return { tenant, role: 'visitor', permissions: permissionsOf('visitor'), profile: entry.profile };
}

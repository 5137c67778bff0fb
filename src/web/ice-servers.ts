/**
 * STUN and TURN servers for a browser. TURN credentials are made for a short time: the user name is the time
 * of expiry, the password its HMAC (draft-uberti-behave-turn-rest-00; coturn's `use-auth-secret`).
 */
import { createHmac } from 'node:crypto';
import type { Joined } from './wire.ts';
import type { IceSettings } from './settings.ts';

export function iceServersFor(
  participantId: string,
  settings: IceSettings,
  nowMs: number,
): Pick<Joined, 'iceServers' | 'iceTransportPolicy'> {
  const { stun_urls, turn_urls, turn_secret, turn_ttl_s, relay_only } = settings;
  const stun = stun_urls.length === 0 ? [] : [{ urls: [...stun_urls] }];
  const username = `${Math.floor(nowMs / 1000) + turn_ttl_s}:${participantId}`;
  const credential = createHmac('sha1', turn_secret).update(username).digest('base64');
  const turn = turn_urls.length === 0 ? [] : [{ urls: [...turn_urls], username, credential }];
  return { iceServers: [...stun, ...turn], iceTransportPolicy: relay_only ? 'relay' : 'all' };
}

import { Refusal } from './core.ts';
import { hostPort } from './uri.ts';
import type { SipMessage } from './message.ts';

/** Headers of an application's message that the server writes itself. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  ...['Via', 'From', 'To', 'Call-ID', 'CSeq', 'Content-Length', 'RSeq', 'Record-Route'],
]);

/**
 * Copies the application's headers and body into a message of the server's making. What is there already
 * (Contact, Max-Forwards) is replaced by what the application says. Refuses a body whose kind nobody knows.
 */
export function merge(into: SipMessage, from: SipMessage, without: readonly string[] = []): void {
  const replaced = new Set<string>();
  for (const [name, value] of from.headers) {
    if (OWN_HEADERS.has(name) || without.includes(name)) continue;
    if ((name === 'Max-Forwards' || name === 'Contact') && !replaced.has(name)) into.remove(name);
    replaced.add(name);
    into.add(name, value);
  }
  into.body = from.body;
  if (into.body === '' || into.has('Content-Type')) return;
  if (!into.body.startsWith('v=0')) throw new Refusal('missing content-type');
  into.add('Content-Type', 'application/sdp');
}

/** drachtio-srf writes `localhost` where it does not know our address. */
export function replaceLocalhost(value: string, host: string, port: number): string {
  return value.replace(/(@|sips?:)localhost(?::\d+)?(?=[>;,\s]|$)/, `$1${hostPort(host, port)}`);
}

/** The session description a message carries. */
export function descriptionOf(message: SipMessage): string | undefined {
  if (message.body === '') return undefined;
  const kind = message.get('Content-Type') ?? '';
  return /^application\/sdp\b/i.test(kind) ? message.body : undefined;
}

import { isIP } from 'node:net';

import { formatParams, parseParams, type Params } from './header.ts';

/** A SIP or SIPS URI (RFC 3261 §19.1). */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  readonly user?: string;
  /** A name, an IPv4 address, or an IPv6 address without brackets; lower case. */
  readonly host: string;
  readonly port?: number;
  readonly params: Params;
}

const HOST_PORT = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i;

/**
 * Host and port of `host[:port]`; undefined when it is neither a name nor an address, or the port is out of
 * range.
 */
export function parseHostPort(text: string): { host: string; port?: number } | undefined {
  const match = HOST_PORT.exec(text);
  if (match === null) return undefined;
  const written = match[1] ?? '';
  const host = (written.startsWith('[') ? written.slice(1, -1) : written).toLowerCase();
  if (written.startsWith('[') && isIP(host) !== 6) return undefined;
  if (match[2] === undefined) return { host };
  const port = Number(match[2]);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

/**
 * Parses a sip: or sips: URI; undefined for any other scheme or a broken one. URI headers (`?...`) are
 * dropped.
 */
export function parseUri(text: string): SipUri | undefined {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, colon).toLowerCase();
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;
  const rest = text.slice(colon + 1);
  // The user part may itself hold ';' and '?', so the last '@' before any header part divides.
  const at = rest.lastIndexOf('@');
  const question = rest.indexOf('?', at + 1);
  const tail = rest.slice(at + 1, question < 0 ? rest.length : question);
  const semicolon = tail.indexOf(';');
  const address = parseHostPort(semicolon < 0 ? tail : tail.slice(0, semicolon));
  if (address === undefined) return undefined;
  const params = semicolon < 0 ? new Map<string, string>() : parseParams(tail.slice(semicolon));
  return { scheme, ...(at < 0 ? {} : { user: rest.slice(0, at) }), ...address, params };
}

export function formatUri(uri: SipUri): string {
  const user = uri.user === undefined ? '' : `${uri.user}@`;
  return `${uri.scheme}:${user}${hostPort(uri.host, uri.port)}${formatParams(uri.params)}`;
}

/** `host:port` as it stands in a URI or a Via, with brackets around an IPv6 address. */
export function hostPort(host: string, port?: number): string {
  const written = isIP(host) === 6 ? `[${host}]` : host;
  return port === undefined ? written : `${written}:${port}`;
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address === 'localhost';
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

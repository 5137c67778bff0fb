import { formatParams, parseParams, type Params } from './header.ts';
import { hostPort, parseHostPort } from './uri.ts';

/** One row of Via (RFC 3261 §20.42). */
export interface Via {
  /** As written: UDP, TCP, TLS, WS... */
  readonly transport: string;
  readonly host: string;
  readonly port?: number;
  readonly params: Params;
}

const VIA = /^SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z0-9-]+)\s+([^\s;,]+(?:\s*:\s*\d+)?)\s*(;.*)?$/;

/** The start of every branch made by RFC 3261 (§8.1.1.7). */
export const BRANCH_COOKIE = 'z9hG4bK';

export function parseVia(value: string): Via | undefined {
  const match = VIA.exec(value);
  if (match === null) return undefined;
  const sentBy = parseHostPort((match[2] ?? '').replaceAll(/\s/g, ''));
  if (sentBy === undefined) return undefined;
  return { transport: (match[1] ?? '').toUpperCase(), ...sentBy, params: parseParams(match[3] ?? '') };
}

export function formatVia(via: Via): string {
  return `SIP/2.0/${via.transport} ${hostPort(via.host, via.port)}${formatParams(via.params)}`;
}

/** Notes in a received request's top Via where it came from (RFC 3261 §18.2.1, RFC 3581 §4). */
export function stampVia(via: Via, source: { address: string; port: number }): Via {
  const params = new Map(via.params);
  const wantsPort = params.has('rport');
  params.delete('received');
  if (wantsPort) params.set('rport', String(source.port));
  if (wantsPort || via.host !== source.address) params.set('received', source.address);
  return { ...via, params };
}

import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

import { hostPort, isLoopback, isWildcard } from './uri.ts';

export type TransportName = 'udp' | 'tcp' | 'tls';

/** Key material of a TLS contact, PEM. */
export interface ContactTls {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
  /** Authorities that peers we connect to are checked against; default: those of Node. */
  readonly ca?: string | Buffer;
  /** Refuse peers we connect to whose certificate does not check. Default true. */
  readonly verifyPeers?: boolean;
}

/** Where the server shall listen. */
export interface ContactOptions {
  readonly transport: TransportName;
  /** An IP address of this machine; 0.0.0.0 or :: for all. */
  readonly host: string;
  /** 0 lets the system choose a free port. */
  readonly port: number;
  /** What the world calls this address (behind NAT): goes into Contact and Via. */
  readonly externalAddress?: string;
  /** Needed for tls. */
  readonly tls?: ContactTls;
}

/** A listening address, its port known. */
export interface Contact extends ContactOptions {
  /** The address written into Contact and Via for peers outside this machine. */
  readonly advertisedHost: string;
}

export function resolvedContact(options: ContactOptions, port: number): Contact {
  return { ...options, port, advertisedHost: options.externalAddress ?? reachableHost(options.host) };
}

function reachableHost(host: string): string {
  if (!isWildcard(host)) return host;
  const family = isIPv6(host) ? 'IPv6' : 'IPv4';
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = addresses.find((entry) => entry.family === family && !entry.internal);
  return outside?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1');
}

/** The address of ours that `peerAddress` can reach: a peer on this machine is given loopback. */
export function hostFor(contact: Contact, peerAddress: string): string {
  if (isWildcard(contact.host) && isLoopback(peerAddress)) return isIPv6(contact.host) ? '::1' : '127.0.0.1';
  return contact.advertisedHost;
}

/** The Contact header value used when the application gives none. */
export function contactHeader(contact: Contact, peerAddress: string): string {
  const suffix = contact.transport === 'udp' ? '' : `;transport=${contact.transport}`;
  return `<sip:${hostPort(hostFor(contact, peerAddress), contact.port)}${suffix}>`;
}

/** As drachtio lists its contacts: `udp/127.0.0.1:5060`. */
export function describeContact(contact: Contact, host: string): string {
  return `${contact.transport}/${hostPort(host, contact.port)}`;
}

/** The contact that fits a peer best: its transport and family, loopback with loopback. */
export function contactFor(
  contacts: readonly Contact[],
  peer: { transport: TransportName; address: string },
): Contact | undefined {
  const sameTransport = contacts.filter((contact) => contact.transport === peer.transport);
  const sameFamily = sameTransport.filter((contact) => isIPv6(contact.host) === isIPv6(peer.address));
  const candidates = sameFamily.length > 0 ? sameFamily : sameTransport;
  const local = isLoopback(peer.address);
  return (
    candidates.find((contact) => isWildcard(contact.host) || isLoopback(contact.host) === local) ??
    candidates[0]
  );
}

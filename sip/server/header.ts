/**
 * Header names and the pieces header values are made of (RFC 3261 §7.3, §25.1).
 * All text is held one character per byte; see message.ts.
 */

/** RFC 3261 §7.3.3 and the extensions that registered a letter. */
const COMPACT_FORMS: Readonly<Record<string, string>> = {
  a: 'Accept-Contact',
  b: 'Referred-By',
  c: 'Content-Type',
  d: 'Request-Disposition',
  e: 'Content-Encoding',
  f: 'From',
  i: 'Call-ID',
  j: 'Reject-Contact',
  k: 'Supported',
  l: 'Content-Length',
  m: 'Contact',
  o: 'Event',
  r: 'Refer-To',
  s: 'Subject',
  t: 'To',
  u: 'Allow-Events',
  v: 'Via',
  x: 'Session-Expires',
  y: 'Identity',
};

/** Names whose capitals do not follow the dashes. */
const IRREGULAR_NAMES = [
  'Call-ID',
  'CSeq',
  'WWW-Authenticate',
  'RSeq',
  'RAck',
  'Min-SE',
  'MIME-Version',
  'SIP-ETag',
];

const REGULAR_NAMES = [
  ...['Via', 'From', 'To', 'Contact', 'Max-Forwards', 'Content-Length', 'Content-Type', 'Allow', 'Supported'],
  ...['Require', 'Route', 'Record-Route', 'User-Agent', 'Server', 'Expires', 'Session-Expires', 'Reason'],
  ...['Authorization', 'Proxy-Authorization', 'Proxy-Authenticate', 'P-Asserted-Identity', 'Retry-After'],
];

const CANONICAL_NAMES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(COMPACT_FORMS),
  ...[...IRREGULAR_NAMES, ...REGULAR_NAMES].map((name): [string, string] => [name.toLowerCase(), name]),
]);

/** The one spelling of a header name used inside the server and on the wire; `X-` names stay as they came. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  const known = CANONICAL_NAMES.get(lower);
  if (known !== undefined) return known;
  if (lower.startsWith('x-')) return name;
  return lower.replace(/(^|-)([a-z])/g, (match) => match.toUpperCase());
}

/** Headers whose rows are comma-separated lists of addresses, kept apart so that each can be read alone. */
export const ADDRESS_LISTS: ReadonlySet<string> = new Set([
  'Via',
  'Route',
  'Record-Route',
  'Contact',
  'Path',
  'Service-Route',
]);

/** Calls `visit` for every character outside quotes and angle brackets; stops when it returns true. */
function scanOutside(text: string, visit: (char: string, index: number) => boolean): void {
  let quoted = false;
  let angled = false;
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (quoted) {
      if (char === '\\') index += 1;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '<') angled = true;
    else if (char === '>') angled = false;
    else if (!angled && visit(char, index)) return;
  }
}

/** Splits at a separator outside quotes and angle brackets. */
export function splitOutside(text: string, separator: ',' | ';'): string[] {
  const parts: string[] = [];
  let start = 0;
  scanOutside(text, (char, index) => {
    if (char === separator) {
      parts.push(text.slice(start, index).trim());
      start = index + 1;
    }
    return false;
  });
  parts.push(text.slice(start).trim());
  return parts;
}

export type Params = ReadonlyMap<string, string>;

/** `;a=1;b` -> { a: '1', b: '' }; names in lower case, the first of two wins. */
export function parseParams(text: string): Params {
  const params = new Map<string, string>();
  for (const part of splitOutside(text, ';')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (!params.has(name)) params.set(name, equals < 0 ? '' : part.slice(equals + 1).trim());
  }
  return params;
}

export function formatParams(params: Params): string {
  let text = '';
  for (const [name, value] of params) text += value === '' ? `;${name}` : `;${name}=${value}`;
  return text;
}

/** A name-addr or addr-spec with its header parameters (RFC 3261 §20.10). */
export interface NameAddress {
  readonly uri: string;
  readonly params: Params;
  /** The value without header parameters, with angle brackets: what a dialog keeps of From and To. */
  readonly bare: string;
}

export function parseNameAddress(value: string): NameAddress {
  const open = openBracket(value);
  if (open >= 0) {
    const close = value.indexOf('>', open);
    const end = close < 0 ? value.length : close;
    const bare = close < 0 ? `${value}>` : value.slice(0, close + 1);
    return {
      uri: value.slice(open + 1, end).trim(),
      params: parseParams(value.slice(end + 1)),
      bare: bare.trim(),
    };
  }
  // Without brackets, parameters belong to the header, not to the URI (RFC 3261 §20).
  const semicolon = value.indexOf(';');
  const uri = (semicolon < 0 ? value : value.slice(0, semicolon)).trim();
  return { uri, params: semicolon < 0 ? new Map() : parseParams(value.slice(semicolon)), bare: `<${uri}>` };
}

function openBracket(value: string): number {
  let quoted = false;
  for (let index = 0; index < value.length; index += 1) {
    const char = value.charAt(index);
    if (quoted) {
      if (char === '\\') index += 1;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '<') return index;
  }
  return -1;
}

/** The tag of a From or To value; undefined when there is none or it is empty. */
export function tagOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const tag = parseNameAddress(value).params.get('tag');
  return tag === '' ? undefined : tag;
}

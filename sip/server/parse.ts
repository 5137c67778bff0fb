import { LIMITS } from './limits.ts';
import { SipRequest, SipResponse, type SipMessage } from './message.ts';
import { parseVia } from './via.ts';

/** Why a message cannot be taken, and the status that says so. */
export interface Defect {
  readonly status: 400 | 505 | 513;
  readonly text: string;
}

/** A message as far as it could be read. Without `message` not even the start line made sense. */
export interface Parsed {
  readonly message?: SipMessage;
  readonly defect?: Defect;
}

const REQUEST_LINE = /^([A-Za-z0-9\-.!%*_+`'~]{1,64}) (\S+) SIP\/(\d+\.\d+) *$/;
const STATUS_LINE = /^SIP\/(\d+\.\d+) ([1-6]\d\d)(?: (.*))?$/;
const HEADER_NAME = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
// NUL, CR and LF inside a value could forge a header row for whoever reads it next.
const FORBIDDEN = /[\0\r\n]/;

/**
 * Reads one SIP message; never throws. Folded rows are joined, compact names expanded, address lists taken
 * apart. The body is everything after the empty line; `applyContentLength` trims it.
 */
export function parseMessage(text: string): Parsed {
  const headEnd = text.indexOf('\r\n\r\n');
  const head = headEnd < 0 ? text.replace(/\r\n$/, '') : text.slice(0, headEnd);
  const rows = head.split(/\r\n(?![ \t])/);
  const started = parseStartLine(rows[0] ?? '');
  const message = started.message;
  if (message === undefined) return started;
  let defect = started.defect;
  if (rows.length > LIMITS.headersMax + 1) return { message, defect: bad('too many header rows') };
  for (let index = 1; index < rows.length; index += 1) {
    const problem = addRow(message, rows[index] ?? '');
    if (problem !== undefined) defect ??= bad(problem);
  }
  message.body = headEnd < 0 ? '' : text.slice(headEnd + 4);
  return defect === undefined ? { message } : { message, defect };
}

function bad(text: string): Defect {
  return { status: 400, text };
}

function parseStartLine(line: string): Parsed {
  const request = REQUEST_LINE.exec(line);
  const status = request === null ? STATUS_LINE.exec(line) : null;
  if (request !== null) {
    return versioned(new SipRequest(request[1] ?? '', request[2] ?? ''), request[3]);
  }
  if (status !== null) return versioned(new SipResponse(Number(status[2]), status[3]), status[1]);
  return { defect: bad('the start line is neither a request nor a response') };
}

function versioned(message: SipMessage, version: string | undefined): Parsed {
  return version === '2.0'
    ? { message }
    : { message, defect: { status: 505, text: 'only SIP/2.0 is spoken' } };
}

function addRow(message: SipMessage, row: string): string | undefined {
  const colon = row.indexOf(':');
  if (colon < 0) return 'a header row has no colon';
  const name = row.slice(0, colon).trim();
  if (!HEADER_NAME.test(name)) return 'a header name is not a token';
  const value = row
    .slice(colon + 1)
    .replace(/\r\n[ \t]+/g, ' ')
    .trim();
  if (FORBIDDEN.test(value)) return `${name} holds a control character`;
  message.add(name, value);
  return undefined;
}

/** Cuts the body to Content-Length (RFC 3261 §18.3); a datagram without one is body to its end. */
export function applyContentLength(message: SipMessage): Defect | undefined {
  const rows = message.all('Content-Length');
  if (rows.length === 0) return undefined;
  const text = rows[0] ?? '';
  if (!/^\d{1,9}$/.test(text) || rows.some((row) => row !== text))
    return bad('Content-Length is not one number');
  const length = Number(text);
  if (length > message.body.length) return bad('the body is shorter than Content-Length');
  message.body = message.body.slice(0, length);
  return undefined;
}

const SINGLE_HEADERS = ['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards'] as const;

/** What RFC 3261 §8.1.1 demands of every request; undefined when all is there. */
export function requestDefect(request: SipRequest): Defect | undefined {
  for (const name of SINGLE_HEADERS) {
    const count = request.all(name).length;
    if (count > 1) return bad(`more than one ${name}`);
    if (count === 0 && name !== 'Max-Forwards') return bad(`${name} is missing`);
  }
  if (request.callId === '') return bad('Call-ID is empty');
  const { number, method } = request.sequence;
  if (number < 0 || number > LIMITS.sequenceMax) return bad('CSeq is not a number and a method');
  if (method !== request.method) return bad('CSeq names another method');
  const hops = request.get('Max-Forwards');
  if (hops !== undefined && !/^\d{1,3}$/.test(hops)) return bad('Max-Forwards is not a number');
  if (!/^[a-z][a-z0-9+.-]*:./i.test(request.uri)) return bad('the request-URI has no scheme');
  for (const via of request.all('Via')) if (parseVia(via) === undefined) return bad('Via cannot be read');
  return undefined;
}

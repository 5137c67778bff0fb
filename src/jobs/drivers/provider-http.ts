/**
 * Questions to a provider over HTTP. What matters to a job is not the status but what became of the question:
 * done, refused, to be asked later, or unclear (see `ProviderFailure`).
 */
import { Agent, request, type Dispatcher } from 'undici';
import { messageOf, TrunklineError } from '../../base/errors.ts';
import type { OutsideAddresses } from '../../base/outside-address.ts';
import { ProviderFailure, type Outcome } from './provider-failure.ts';

export interface ProviderQuestion {
  /** `GET`, `POST`, `REPORT` … */
  readonly method: string;
  /** A whole URL. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The job's: whoever waits has given up. */
  readonly signal?: AbortSignal | undefined;
}

export interface ProviderAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ProviderHttpOptions {
  /** Named in failures: `hubspot`. */
  readonly provider: string;
  /** Longest wait for a connection, for the first byte, and between two bytes, in ms. */
  readonly timeoutMs: number;
  /** Where the address was written by a tenant: whom it may name. */
  readonly outside?: OutsideAddresses;
}

const answer_bytes_max = 1_048_576;
const excerpt_characters_max = 300;
const retry_after_ms_max = 3_600_000;
const connections_max = 16;

/** Nothing had been sent when these were met. */
const BEFORE_SENDING = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'],
  ...['UND_ERR_CONNECT_TIMEOUT', 'ERR_TLS_CERT_ALTNAME_INVALID', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ...['CERT_HAS_EXPIRED', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
]);

export class ProviderHttp {
  readonly #provider: string;
  readonly #outside: OutsideAddresses | undefined;
  readonly #agent: Agent;

  constructor({ provider, timeoutMs, outside }: ProviderHttpOptions) {
    this.#provider = provider;
    this.#outside = outside;
    this.#agent = new Agent({
      connections: connections_max,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connect: { timeout: timeoutMs, ...(outside === undefined ? {} : { lookup: outside.lookup }) },
    });
  }

  /**
   * Asks once; redirects are not followed (they would lead past the check of the address).
   * @throws ProviderFailure for every answer but 2xx, and for none; TrunklineError ADDRESS_FORBIDDEN
   */
  async ask(question: ProviderQuestion): Promise<ProviderAnswer> {
    const { method, url, headers, body, signal } = question;
    this.#outside?.checkUrl(url);
    let response: Dispatcher.ResponseData;
    let text: string;
    try {
      response = await request(url, {
        ...{ method, dispatcher: this.#agent },
        ...(headers === undefined ? {} : { headers: { ...headers } }),
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
      text = await boundedText(response);
    } catch (error) {
      throw this.#lost(error);
    }
    const answer = { status: response.statusCode, headers: flat(response.headers), body: text };
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw this.#failure(answer);
  }

  /** As `ask`, with JSON both ways. A body that is no JSON is an `unclear` failure: it was done, by whom? */
  async askJson(question: Omit<ProviderQuestion, 'body'> & { readonly json?: unknown }): Promise<unknown> {
    const { json, headers, ...rest } = question;
    const answer = await this.ask({
      ...rest,
      headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    return this.parse(answer);
  }

  parse(answer: ProviderAnswer): unknown {
    if (answer.body === '') return {};
    try {
      return JSON.parse(answer.body);
    } catch (cause) {
      const { status } = answer;
      throw new ProviderFailure('unclear', `${this.#provider} answers ${status} without JSON`, {
        status,
        cause,
      });
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  #failure(answer: ProviderAnswer): ProviderFailure {
    const { status, headers, body } = answer;
    const retryAfterMs = retryAfter(headers['retry-after']);
    const providerCode = codeIn(body);
    return new ProviderFailure(outcomeOf(status), `${this.#provider} answers ${status}: ${excerpt(body)}`, {
      status,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(providerCode === undefined ? {} : { providerCode }),
    });
  }

  #lost(error: unknown): TrunklineError {
    const cause = forbiddenIn(error);
    if (cause !== undefined) return cause;
    const code = codeOf(error);
    const outcome: Outcome = BEFORE_SENDING.has(code) ? 'unavailable' : 'unclear';
    return new ProviderFailure(outcome, `${this.#provider}: ${messageOf(error)}`, { cause: error });
  }
}

/** 4xx are our fault, but for those that say "later"; 500, 502 and 504 may come after the work was done. */
function outcomeOf(status: number): Outcome {
  if ([408, 423, 425, 429, 503].includes(status)) return 'unavailable';
  return status < 500 ? 'refused' : 'unclear';
}

/** Seconds or a date (RFC 9110 §10.2.3), in ms; bounded. */
export function retryAfter(value: string | undefined, nowMs = Date.now()): number | undefined {
  if (value === undefined || value.trim() === '') return undefined;
  const ms = /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.round(Math.min(Math.max(ms, 0), retry_after_ms_max));
}

async function boundedText(response: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > answer_bytes_max) throw new Error(`an answer of more than ${answer_bytes_max} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}

/** For a log: one line, no telephone numbers. */
function excerpt(body: string): string {
  const line = body.replace(/\s+/g, ' ').replace(/\+?\d{7,}/g, '[number]');
  return line.slice(0, excerpt_characters_max) || 'nothing';
}

/** `{"code": 21610}` of Twilio, `{"errors": [{"code": "40300"}]}` of Telnyx, `{"category": …}` of HubSpot. */
function codeIn(body: string): string | undefined {
  try {
    const parsed = JSON.parse(body) as {
      code?: unknown;
      category?: unknown;
      errors?: { code?: unknown }[];
    } | null;
    const code = parsed?.code ?? parsed?.errors?.[0]?.code ?? parsed?.category;
    return typeof code === 'string' || typeof code === 'number' ? String(code) : undefined;
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    const { code } = one as NodeJS.ErrnoException;
    if (code !== undefined) return code;
    if (one instanceof AggregateError) return codeOf(one.errors[0]);
  }
  return '';
}

function forbiddenIn(error: unknown): TrunklineError | undefined {
  for (let one: unknown = error; one instanceof Error; one = one.cause)
    if (one instanceof TrunklineError) return one;
  return undefined;
}

/** A tool that asks a web server, as configuration declares it. */
import { request, type Dispatcher } from 'undici';
import { systemClock, type Clock } from '../../../base/clock.ts';
import { messageOf, TrunklineError } from '../../../base/errors.ts';
import { jsonSchemaArguments } from '../arguments.ts';
import type { Tool, ToolContext, ToolResult } from '../tool.ts';
import type { HttpToolDeclaration } from './declaration.ts';
import { refusalIn, type GuardedHttp } from './guarded-http.ts';
import { follow, readPath } from './response-path.ts';
import { fillBody, fillText, fillUrl, type Given } from './template.ts';

/** Pause before the first repetition, in ms; it doubles each time. */
const RETRY_PAUSE_MS = 200;
/** Redirects that are followed, on the same host. */
const REDIRECTS_MAX = 3;
/** What is worth another try: too early, too many, or trouble on their side. */
const TRANSIENT: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
const TROUBLE = 'That is not possible at the moment.';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A failure that another attempt may mend. */
class Transient extends Error {}

export function httpTool(
  declaration: HttpToolDeclaration,
  parts: { http: GuardedHttp; clock?: Clock },
): Tool<Given> {
  const caller = new HttpCaller(declaration, parts.http, parts.clock ?? systemClock);
  const attempts = declaration.retries + 1;
  const pausesMs = RETRY_PAUSE_MS * (2 ** declaration.retries - 1);
  const looks = declaration.method === 'GET' || declaration.method === 'HEAD';
  return {
    name: declaration.name,
    description: declaration.description,
    arguments: jsonSchemaArguments(declaration.parameters),
    timeoutMs: declaration.timeout_ms * attempts + pausesMs,
    repeatable: looks,
    run: (given, context) => caller.call(given, context),
  };
}

class HttpCaller {
  readonly #tool: HttpToolDeclaration;
  readonly #http: GuardedHttp;
  readonly #clock: Clock;
  readonly #response: readonly (readonly [string, NonNullable<ReturnType<typeof readPath>>])[];
  /** Longest first: a token is part of the header's whole value. */
  readonly #secrets: readonly string[];

  constructor(tool: HttpToolDeclaration, http: GuardedHttp, clock: Clock) {
    this.#tool = tool;
    this.#http = http;
    this.#clock = clock;
    this.#response = Object.entries(tool.response).map(([name, path]) => [name, readPath(path) ?? []]);
    const secret = tool.auth?.value ?? '';
    this.#secrets = [secret, ...secret.split(/\s+/).slice(1)].filter((one) => one.length > 3);
  }

  async call(given: Given, context: ToolContext): Promise<ToolResult> {
    for (let retriesLeft = this.#tool.retries; ; retriesLeft -= 1) {
      try {
        const answer = await this.#attempt(given, context);
        if (!TRANSIENT.has(answer.status) || retriesLeft === 0) return this.#resultOf(answer);
      } catch (failure) {
        const again = failure instanceof Transient && retriesLeft > 0 && !context.signal.aborted;
        if (!again) throw this.#told(failure);
      }
      await this.#pause(RETRY_PAUSE_MS * 2 ** (this.#tool.retries - retriesLeft), context.signal);
    }
  }

  /** One request, with the redirects on its own host. */
  async #attempt(given: Given, context: ToolContext): Promise<Answer> {
    const { timeout_ms: timeoutMs } = this.#tool;
    const limit = new AbortController();
    const cancel = this.#clock.after(timeoutMs, () => limit.abort(new Error(`no answer in ${timeoutMs} ms`)));
    const signal = AbortSignal.any([limit.signal, context.signal]);
    try {
      let url = this.#address(given);
      for (let redirects = 0; ; redirects += 1) {
        const response = await this.#send(url, given, context.key, signal);
        const next = this.#redirect(url, response, redirects);
        if (next === undefined) return await this.#read(response);
        await response.body.dump();
        url = next;
      }
    } catch (failure) {
      if (failure instanceof TrunklineError) throw failure;
      throw refusalIn(failure) ?? new Transient(messageOf(signal.aborted ? signal.reason : failure));
    } finally {
      cancel();
    }
  }

  #address(given: Given): URL {
    const { url: template, auth } = this.#tool;
    const url = fillUrl(template, given);
    if (auth?.in === 'query') url.searchParams.set(auth.name, auth.value);
    return url;
  }

  #send(url: URL, given: Given, key: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    this.#http.check(url);
    const { method, headers, auth, body } = this.#tool;
    const filled = Object.entries(headers).map(([name, value]) => [name, fillText(value, given)] as const);
    return request(url, {
      method,
      signal,
      dispatcher: this.#http.dispatcher,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...Object.fromEntries(filled),
        ...(auth?.in === 'header' ? { [auth.name]: auth.value } : {}),
        'idempotency-key': key,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(fillBody(body, given)) }),
    });
  }

  /** Where to ask next; undefined: this is the answer. */
  #redirect(from: URL, { statusCode, headers }: Dispatcher.ResponseData, redirects: number): URL | undefined {
    const { location } = headers;
    if (statusCode < 300 || statusCode > 399 || typeof location !== 'string') return undefined;
    const next = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    const looks = this.#tool.method === 'GET' || this.#tool.method === 'HEAD';
    if (next?.origin !== from.origin || !looks || redirects >= REDIRECTS_MAX)
      throw new TrunklineError('TOOL_FAILED', `${from.host} redirects elsewhere (${statusCode})`);
    return next;
  }

  async #read({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Answer> {
    const { response_bytes_max: bytesMax } = this.#tool;
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > bytesMax)
        throw new TrunklineError('TOOL_FAILED', `the answer is longer than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString('utf8');
    const isJson = /\bjson\b/i.test(String(headers['content-type'] ?? ''));
    return { status: statusCode, body: isJson ? parsed(text) : text };
  }

  #resultOf({ status, body }: Answer): ToolResult {
    if (status < 200 || status > 299)
      return { ok: false, reason: this.#tool.errors[String(status)] ?? TROUBLE, status };
    const mapped = this.#response.map(([name, path]) => [name, follow(body, path)] as const);
    const fields = mapped.length === 0 ? { body } : Object.fromEntries(mapped);
    return { ...(this.#clean(fields) as object), ok: true };
  }

  /** A server may echo what it was sent: our credentials reach neither model nor journal. */
  #clean(value: unknown): unknown {
    if (typeof value === 'string')
      return this.#secrets.reduce((text, secret) => text.replaceAll(secret, '•••'), value);
    if (Array.isArray(value)) return value.map((one) => this.#clean(one));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.#clean(one)]));
  }

  /** Only the host is named: the rest of an address may hold what a caller said, or a secret. */
  #told(failure: unknown): TrunklineError {
    if (failure instanceof TrunklineError) return failure;
    const { host } = new URL(this.#tool.url.replace(/[{}]/g, ''));
    const detail = String(this.#clean(messageOf(failure)));
    return new TrunklineError('TOOL_FAILED', `${host}: ${detail}`, { cause: failure });
  }

  #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(delayMs, resolve);
      const giveUp = (): void => {
        cancel();
        resolve();
      };
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/**
 * One `openai` client per server, all over one pool of connections that outlives the pauses of a
 * conversation.
 */
import OpenAI from 'openai';
import { Agent, fetch as undiciFetch } from 'undici';

/**
 * Node's own pool closes a connection after 4 s without a request, and every turn would begin with a
 * handshake.
 */
const KEEP_ALIVE_MS = 60_000;
const CONNECT_MS_MAX = 5000;

export interface ClientOptions {
  readonly baseUrl: string;
  readonly apiKey: string;
}

export class Clients {
  readonly #pool = new Agent({
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { timeout: CONNECT_MS_MAX },
    // The patience of each stage decides, and it is shorter.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  /** Retries, timeouts and the environment are ours to look after, not the client's. */
  create({ baseUrl, apiKey }: ClientOptions): { client: OpenAI; name: string } {
    const client = new OpenAI({
      baseURL: baseUrl,
      apiKey: apiKey === '' ? 'none' : apiKey,
      ...(apiKey === '' ? { defaultHeaders: { Authorization: null } } : {}),
      organization: null,
      project: null,
      maxRetries: 0,
      logLevel: 'off',
      // Its types are those of another copy of the same package.
      fetch: undiciFetch as unknown as typeof fetch,
      fetchOptions: { dispatcher: this.#pool } as object,
    });
    return { client, name: hostOf(baseUrl) };
  }

  /** Cuts what is still under way. */
  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

function hostOf(baseUrl: string): string {
  return URL.canParse(baseUrl) ? new URL(baseUrl).host : baseUrl;
}

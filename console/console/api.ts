/** The page's way to the API: one key, kept for this tab alone. */
import { z } from 'zod';

const KEY = 'trunkline.console.key';

export function keptKey(): string | null {
  return sessionStorage.getItem(KEY);
}

export function keepKey(key: string | null): void {
  if (key === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, key);
}

const problem = z.object({ title: z.string(), detail: z.string(), code: z.string() });

/** A refusal of the API; `code` is explained in docs/ERRORS.md. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
  }
}

/** All of it throws ApiError, also when the gateway is away (status 0) or answers something else. */
export class Api {
  readonly #key: string;
  readonly #fetch: typeof fetch;

  constructor(key: string, useFetch: typeof fetch = fetch.bind(globalThis)) {
    this.#key = key;
    this.#fetch = useFetch;
  }

  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema>> {
    return this.#ask('GET', path, schema);
  }

  post<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema>> {
    return this.#ask('POST', path, schema);
  }

  /** The stream of live calls, open until `signal` is aborted. */
  async stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#send('GET', path, { signal });
    if (response.body === null) throw new ApiError(0, 'NO_ANSWER', 'The gateway sent no stream.');
    return response.body;
  }

  async #ask<Schema extends z.ZodType>(
    method: string,
    path: string,
    schema: Schema,
  ): Promise<z.infer<Schema>> {
    const response = await this.#send(method, path, {});
    const parsed = schema.safeParse(await response.json().catch(() => null));
    if (parsed.success) return parsed.data;
    throw new ApiError(0, 'ODD_ANSWER', 'The gateway is of another version than this page: load it anew.');
  }

  async #send(method: string, path: string, more: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await this.#fetch(`/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#key}` },
        ...more,
      });
    } catch {
      throw new ApiError(0, 'NO_ANSWER', 'The gateway cannot be reached.');
    }
    if (response.ok) return response;
    const told = problem.safeParse(await response.json().catch(() => null));
    if (!told.success) throw new ApiError(response.status, 'REFUSED', `The gateway says ${response.status}.`);
    const { title, detail, code } = told.data;
    throw new ApiError(response.status, code, `${title} (${detail})`);
  }
}

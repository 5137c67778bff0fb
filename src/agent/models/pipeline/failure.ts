/**
 * What can go wrong at a server, said in one vocabulary: which stage, whether a new try may help, and when.
 */
import { APIConnectionError, APIError } from 'openai';
import { messageOf, TrunklineError } from '../../../base/errors.ts';
import { detail_chars_max } from './limits.ts';

export type Stage = 'transcription' | 'chat' | 'speech';

const CODES = {
  transcription: 'TRANSCRIPTION_FAILED',
  chat: 'CHAT_FAILED',
  speech: 'SYNTHESIS_FAILED',
} as const;

export interface FailureTraits {
  /** The same request may succeed later, or elsewhere. */
  readonly retryable: boolean;
  /** The server asked to be left alone for so long. */
  readonly retryAfterMs?: number;
  /** It failed without costing time: a second try at the same server is worth it. */
  readonly quick?: boolean;
}

export class StageError extends TrunklineError {
  readonly stage: Stage;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  readonly quick: boolean;

  constructor(stage: Stage, detail: string, traits: FailureTraits, options?: ErrorOptions) {
    super(CODES[stage], detail, options);
    this.stage = stage;
    this.retryable = traits.retryable;
    this.retryAfterMs = traits.retryAfterMs ?? null;
    this.quick = traits.quick ?? false;
  }
}

/** Thrown where the caller's interruption, or the call's end, stopped the work: nobody's failure. */
export class Cancelled extends Error {
  constructor() {
    super('cancelled');
    this.name = 'Cancelled';
  }
}

/** Asked again after waiting: the compiler believes that it cannot have changed. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Anything that a request threw. `where` names the server; keys never get into the sentence. */
export function stageError(stage: Stage, where: string, thrown: unknown): StageError {
  if (thrown instanceof StageError) return thrown;
  const options = { cause: thrown };
  if (thrown instanceof APIConnectionError) {
    const detail = `${where} cannot be reached (${causeOf(thrown)})`;
    return new StageError(stage, detail, { retryable: true, quick: true }, options);
  }
  if (thrown instanceof APIError) return refusal(stage, where, thrown as APIError);
  if (thrown instanceof SyntaxError)
    return new StageError(stage, `${where} answered garbage`, { retryable: true, quick: true }, options);
  const detail = `${where}: ${causeOf(thrown).slice(0, detail_chars_max)}`;
  return new StageError(stage, detail, { retryable: true, quick: true }, options);
}

/** The root of a chain: "fetch failed" says nothing, "connect ECONNREFUSED" does. */
function causeOf(thrown: unknown): string {
  let root = thrown;
  for (let depth = 0; depth < 5 && root instanceof Error && root.cause instanceof Error; depth += 1)
    root = root.cause;
  const code = root instanceof Error && 'code' in root ? String(root.code) : '';
  return [code, messageOf(root)].filter((part) => part !== '').join(' ');
}

function refusal(stage: Stage, where: string, error: APIError): StageError {
  const options = { cause: error };
  const status = typeof error.status === 'number' ? error.status : null;
  // OpenAI repeats a part of the key in its sentence.
  if (status === 401 || status === 403)
    return new StageError(
      stage,
      `${where} refused the API key (HTTP ${status})`,
      { retryable: false },
      options,
    );
  const why = [error.code, error.message].filter(Boolean).join(' ').slice(0, detail_chars_max);
  const detail = `${where} ${status === null ? 'reported' : 'refused'}: ${why}`;
  if (status === 429) {
    const retryable = error.code !== 'insufficient_quota';
    const retryAfterMs = retryAfter(
      error.headers?.get('retry-after-ms') ?? null,
      error.headers?.get('retry-after') ?? null,
    );
    const traits = { retryable, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
    return new StageError(stage, detail, traits, options);
  }
  const retryable = status === null || status >= 500 || status === 408 || status === 409;
  return new StageError(stage, detail, { retryable, quick: retryable }, options);
}

/** Seconds, or an HTTP date (RFC 9110 §10.2.3); OpenAI also sends milliseconds in a header of its own. */
export function retryAfter(
  milliseconds: string | null,
  header: string | null,
  nowMs = Date.now(),
): number | null {
  const exact = Number(milliseconds ?? Number.NaN);
  if (milliseconds !== null && Number.isFinite(exact) && exact >= 0) return exact;
  if (header === null) return null;
  const seconds = Number(header);
  if (header.trim() !== '' && Number.isFinite(seconds) && seconds >= 0) return seconds * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}

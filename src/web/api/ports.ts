/** What the API needs of parts that this folder must not import: the gateway fills them. */
import type { Clock } from '../../base/clock.ts';
import type { ErrorCode } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Journal } from '../../room/journal.ts';
import type { Store } from '../../store/store.ts';
import type { DeadLetter } from '../../store/tables/dead-letters.ts';

export interface QueueCounts {
  readonly queue: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

export interface CallJob {
  readonly queue: string;
  readonly key: string;
  /** `delayed`: put off, or waiting for its next try. `failed`: given up. */
  readonly state: 'waiting' | 'active' | 'delayed' | 'completed' | 'failed';
  readonly attempts: number;
  readonly attemptsMax: number;
  readonly askedAt: string;
  readonly endedAt: string | null;
  readonly failure: string | null;
}

export interface QueueDesk {
  /** @throws TrunklineError JOBS_UNAVAILABLE */
  counts(): Promise<readonly QueueCounts[]>;
  /** What a call led to, in the order it was asked for. @throws TrunklineError JOBS_UNAVAILABLE */
  ofCall(of: { tenant: string; callId: string }): Promise<readonly CallJob[]>;
  /** Gives a job that was given up back to its queue. @throws TrunklineError JOBS_UNAVAILABLE */
  replay(letter: DeadLetter): Promise<void>;
}

export interface SmsJob {
  readonly tenant: string;
  /** The same key is the same message, however often it is asked for. */
  readonly key: string;
  readonly to: string;
  readonly from?: string;
  readonly body?: string;
  readonly template?: string;
  readonly values?: Readonly<Record<string, string>>;
}

export interface NumberRoute {
  readonly number: string;
  readonly tenant: string;
  readonly profile: string;
}

export interface ProfileSummary {
  readonly name: string;
  readonly adapter: string;
  readonly language: string;
  readonly tools: readonly string[];
}

/** What a provider posted. */
export interface HookRequest {
  readonly provider: 'twilio' | 'telnyx';
  readonly tenant: string;
  /** Path and query, as they came. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ApiParts {
  readonly store: Store;
  readonly queues: QueueDesk;
  /** Resolves when the message cannot be lost any more. @throws TrunklineError JOBS_UNAVAILABLE */
  readonly sendSms: (job: SmsJob) => Promise<void>;
  /** @throws TrunklineError API_NOT_FOUND, SIGNATURE_INVALID, STORE_UNAVAILABLE */
  readonly takeHook: (request: HookRequest) => Promise<void>;
  readonly numbers: readonly NumberRoute[];
  readonly profiles: readonly ProfileSummary[];
  readonly journal: Journal;
  readonly requestsPerSecondMax: number;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of every refusal. */
  readonly refused: (code: ErrorCode) => void;
}

/**
 * How fast providers are asked, by all job processes together: evenly, each tenant within its own pace and
 * all within one for the provider. A job that comes too soon gets a turn of its own, and is put off until
 * then; it does not have to try its luck again. Times are those of Redis.
 */
import type { Redis } from 'ioredis';
import { TrunklineError, messageOf } from '../base/errors.ts';
import { JobLater } from './work.ts';

/** Requests in so many ms; 0: no limit. */
export interface ProviderPace {
  readonly per_tenant_max: number;
  readonly in_all_max: number;
  readonly window_ms: number;
}

/** By the name of the driver: `twilio`. */
export type PaceTable = Readonly<Record<string, ProviderPace>>;

export interface Turn {
  readonly tenant: string;
  readonly provider: string;
  /** The job's key: a turn that it was given stays its own. */
  readonly key: string;
  /** How many requests it will make. */
  readonly requests: number;
}

/**
 * Resolves when it is the job's turn, at once or not at all.
 * @throws JobLater with the ms until then; TrunklineError JOBS_UNAVAILABLE
 */
export type Pace = (turn: Turn) => Promise<void>;

/** How late a job may come and still have its turn, in ms: later ones would come all at once. */
const late_ms_max = 1000;
/** How long a turn is remembered after that, in ms. */
const kept_ms = 60_000;

/**
 * KEYS: when the tenant's pace is free, the job's turn in it; the same two of the provider's pace.
 * ARGV: ms that the requests take of the one and of the other pace, late_ms_max, kept_ms.
 * Returns how long to wait, in ms. Only who has had the tenant's turn asks for one of the provider's: a
 * tenant with much to do holds up nobody but itself.
 */
const TAKE = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local late, kept = tonumber(ARGV[3]), tonumber(ARGV[4])
local function wait(free, turn, costs)
  if costs == 0 then return 0 end
  local mine = redis.call('GET', turn)
  if mine == 'had' then return 0 end
  if mine and tonumber(mine) > now then return tonumber(mine) - now end
  if not mine or now - tonumber(mine) > late then
    local at = math.max(now, tonumber(redis.call('GET', free) or '0'))
    redis.call('SET', free, at + costs, 'PX', at + costs - now)
    if at > now then
      redis.call('SET', turn, at, 'PX', at - now + late + kept)
      return at - now
    end
  end
  redis.call('SET', turn, 'had', 'PX', kept)
  return 0
end
local ms = wait(KEYS[1], KEYS[2], tonumber(ARGV[1]))
if ms == 0 then ms = wait(KEYS[3], KEYS[4], tonumber(ARGV[2])) end
if ms == 0 then redis.call('DEL', KEYS[2], KEYS[4]) end
return ms`;

/** `prefix`: before every key. */
export function sharedPace(redis: Redis, prefix: string, table: PaceTable): Pace {
  return async ({ tenant, provider, key, requests }) => {
    const pace = table[provider];
    if (pace === undefined || requests <= 0) return;
    const costs = [pace.per_tenant_max, pace.in_all_max].map((max) =>
      max === 0 ? 0 : Math.max(1, Math.round((pace.window_ms / max) * requests)),
    );
    if (costs.every((one) => one === 0)) return;
    const name = `${prefix}:pace:${provider}`;
    const keys = [
      `${name}:free:${tenant}`,
      `${name}:turn:${tenant}:${key}`,
      `${name}:free`,
      `${name}:turn-of-all:${tenant}:${key}`,
    ];
    let waitMs: number;
    try {
      const answer = redis.eval(TAKE, keys.length, ...keys, ...costs, late_ms_max, kept_ms);
      waitMs = (await answer) as number;
    } catch (error) {
      throw new TrunklineError('JOBS_UNAVAILABLE', messageOf(error), { cause: error });
    }
    if (waitMs > 0) throw new JobLater(waitMs, `the pace of ${provider}`);
  };
}

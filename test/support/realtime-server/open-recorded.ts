/** Sessions of the Realtime and the Live adapter under test, at a server of this folder. */
import { createLiveModel, type LiveModel, type LiveOptions } from '../../../src/agent/models/live/index.ts';
import {
  createRealtimeModel,
  type RealtimeModel,
  type RealtimeOptions,
} from '../../../src/agent/models/realtime/index.ts';
import type { AgentProfile } from '../../../src/agent/profile.ts';
import type { ConnectOptions } from '../../../src/agent/voice-model.ts';
import type { Clock } from '../../../src/base/clock.ts';
import { receptionist, RecordedSession } from '../recorded-session.ts';

export interface OpenRecordedOptions<O> extends Partial<
  Pick<ConnectOptions, 'profile' | 'codec' | 'history'>
> {
  readonly baseUrl: string;
  readonly clock?: Clock;
  readonly options?: Partial<O>;
}

export type RecordedRealtime = RecordedSession<RealtimeModel>;
export type RecordedLive = RecordedSession<LiveModel>;

const common = { apiKey: 'test-key', voice: 'marin', connectTimeoutMs: 5000, appendMs: 20 };

/** @throws what `connect` rejects with */
export async function openRecorded({
  baseUrl,
  clock,
  options,
  ...call
}: OpenRecordedOptions<RealtimeOptions>): Promise<RecordedRealtime> {
  const model = createRealtimeModel({
    ...{ ...common, baseUrl, model: 'gpt-realtime-2.1' },
    ...(clock === undefined ? {} : { clock }),
    ...options,
  });
  return RecordedSession.open(model, call);
}

const liveReceptionist: AgentProfile = {
  ...receptionist,
  model: { ...receptionist.model, adapter: 'live' },
};

/** @throws what `connect` rejects with */
export async function openRecordedLive({
  baseUrl,
  clock,
  options,
  ...call
}: OpenRecordedOptions<LiveOptions>): Promise<RecordedLive> {
  const model = createLiveModel({
    ...{ ...common, baseUrl, model: 'gpt-live-1' },
    ...(clock === undefined ? {} : { clock }),
    ...options,
  });
  return RecordedSession.open(model, { profile: liveReceptionist, ...call });
}

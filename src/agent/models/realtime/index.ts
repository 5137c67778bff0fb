/** OpenAI Realtime, or any server that speaks its protocol, as a voice model. */
import type { SessionUpdateEvent } from 'openai/resources/realtime/realtime';
import { systemClock } from '../../../base/clock.ts';
import type { AgentProfile } from '../../profile.ts';
import type { ConnectOptions, WarmOptions, WarmSession } from '../../voice-model.ts';
import { sessionInstructions } from '../instructions.ts';
import { profileVoice } from '../profile-voice.ts';
import { declaredTools } from '../tool-declarations.ts';
import { OpenSessions, type SocketModel, type SocketModelOptions } from '../voice-socket/model.ts';
import { openSocket } from '../voice-socket/open-socket.ts';
import { settingsFor } from '../voice-socket/overrides.ts';
import { realtimeUrl } from './address.ts';
import { sessionUpdate } from './client-events.ts';
import { RealtimeSession, type SessionCounts } from './session.ts';
import { realtimeSettingsSchema, type RealtimeSettings } from './settings.ts';
import { StandIn } from './stand-in.ts';

export type RealtimeOptions = SocketModelOptions<RealtimeSettings>;
export type RealtimeModel = SocketModel<SessionCounts>;

const default_settings = realtimeSettingsSchema.parse({});

/**
 * Each call gets a WebSocket of its own. Sound passes as the phone's own G.711, in both directions.
 * `connect` rejects with MODEL_UNAVAILABLE (a ConnectError, which also says whether to try again).
 */
export function createRealtimeModel(options: RealtimeOptions): RealtimeModel {
  const clock = options.clock ?? systemClock;
  const sessions = new OpenSessions<RealtimeSession>();
  const counts: SessionCounts = {
    unknownEvents: 0,
    notEvents: 0,
    errors: 0,
    droppedAppends: 0,
    lateDeltas: 0,
  };
  const settingsOf = (profile: AgentProfile): RealtimeSettings =>
    settingsFor(options.settings ?? default_settings, profile.model.realtime);
  /** All that the server is to know of a call but its conversation. */
  const settled = ({ profile, codec, tools, now }: ConnectOptions): SessionUpdateEvent =>
    sessionUpdate({
      instructions: sessionInstructions(profile, now()),
      codec,
      voice: profileVoice(profile, options.voice),
      settings: settingsOf(profile),
      endOfSpeechMs: profile.turns.end_of_speech_ms,
      language: profile.language,
      tools: declaredTools(profile.tools, tools ?? options.tools ?? {}),
    });
  const open = async (call: ConnectOptions): Promise<RealtimeSession> => {
    const startedMs = clock.nowMs();
    const model = call.profile.model.name || options.model;
    const url = realtimeUrl(options.baseUrl, model);
    const socket = await openSocket({ url, apiKey: options.apiKey, timeoutMs: options.connectTimeoutMs });
    const session = sessions.add(
      (onClosed) =>
        new RealtimeSession({
          ...{ socket, clock, counts, call, onClosed, appendMs: options.appendMs },
          models: { response: model, transcription: settingsOf(call.profile).transcription_model },
          provider: url.host,
          ...(options.log === undefined ? {} : { log: options.log }),
        }),
    );
    const leftMs = Math.max(1, options.connectTimeoutMs - (clock.nowMs() - startedMs));
    await session.start(settled(call), leftMs);
    return session;
  };
  return {
    name: 'realtime',
    counts,
    get openSessions() {
      return sessions.size;
    },
    connect: open,
    /** A whole session that took the profile's settings. The call's day, codec and tools are told later. */
    async warm(given: WarmOptions): Promise<WarmSession> {
      const standIn = new StandIn(given);
      const session = await open(standIn);
      return {
        get usable() {
          return standIn.usable;
        },
        attach: (call) =>
          new Promise((resolve) => {
            standIn.giveWay();
            session.attach(call, settled(call));
            resolve(session);
          }),
        close: () => session.close(),
      };
    },
    async close(): Promise<void> {
      await sessions.close();
    },
  };
}

/** OpenAI Realtime, or any server that speaks its protocol, as a voice model. */
import type { SessionUpdateEvent } from 'openai/resources/realtime/realtime';
import { systemClock, type Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import type { AgentProfile } from '../../profile.ts';
import type { ConnectOptions, VoiceModel, WarmOptions, WarmSession } from '../../voice-model.ts';
import { sessionInstructions } from '../instructions.ts';
import { declaredTools, offline_voice, type ToolDeclaration } from '../tool-declarations.ts';
import { openSocket } from '../voice-socket/open-socket.ts';
import { settingsFor } from '../voice-socket/overrides.ts';
import { realtimeUrl } from './address.ts';
import { sessionUpdate } from './client-events.ts';
import { RealtimeSession, type SessionCounts } from './session.ts';
import { realtimeSettingsSchema, type RealtimeSettings } from './settings.ts';
import { StandIn } from './stand-in.ts';

export interface RealtimeOptions {
  /** `https://api.openai.com/v1`, or a server of one's own: http, https, ws or wss. */
  readonly baseUrl: string;
  /** Empty: no Authorization header. */
  readonly apiKey: string;
  /** For profiles that name neither model nor voice. */
  readonly model: string;
  readonly voice: string;
  /** From the first packet to a session that took our settings. */
  readonly connectTimeoutMs: number;
  /** Sound per message to the server: 20, 40 or 60 ms. */
  readonly appendMs: number;
  /** Absent: the schema's defaults. */
  readonly settings?: RealtimeSettings;
  /** Declarations of the tools that profiles may list, by name. `hang_up` is always there. */
  readonly tools?: Readonly<Record<string, ToolDeclaration>>;
  readonly log?: Log;
  readonly clock?: Clock;
}

export interface RealtimeModel extends VoiceModel {
  readonly openSessions: number;
  /** Of all sessions so far, ended ones too. */
  readonly counts: Readonly<SessionCounts>;
}

const default_settings = realtimeSettingsSchema.parse({});

/**
 * Each call gets a WebSocket of its own. Sound passes as the phone's own G.711, in both directions.
 * `connect` rejects with MODEL_UNAVAILABLE (a ConnectError, which also says whether to try again).
 */
export function createRealtimeModel(options: RealtimeOptions): RealtimeModel {
  const clock = options.clock ?? systemClock;
  const sessions = new Set<RealtimeSession>();
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
      voice: profile.model.voice === offline_voice ? options.voice : profile.model.voice,
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
    const session = new RealtimeSession({
      ...{ socket, clock, counts, call, appendMs: options.appendMs },
      models: { response: model, transcription: settingsOf(call.profile).transcription_model },
      provider: url.host,
      onClosed: () => sessions.delete(session),
      ...(options.log === undefined ? {} : { log: options.log }),
    });
    sessions.add(session);
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
      await Promise.all([...sessions].map((session) => session.closeAndWait()));
    },
  };
}

/** OpenAI Realtime, or any server that speaks its protocol, as a voice model. */
import { systemClock, type Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import type { ConnectOptions, VoiceModel, VoiceSession } from '../../voice-model.ts';
import { sessionUpdate } from './client-events.ts';
import { openSocket, realtimeUrl } from './connect.ts';
import { sessionInstructions } from './instructions.ts';
import { RealtimeSession, type SessionCounts } from './session.ts';
import { realtimeSettingsSchema, settingsFor, type RealtimeSettings } from './settings.ts';
import { declaredTools, offline_voice, type ToolDeclaration } from './tools.ts';

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
  return {
    name: 'realtime',
    counts,
    get openSessions() {
      return sessions.size;
    },
    async connect(call: ConnectOptions): Promise<VoiceSession> {
      const { profile } = call;
      const startedMs = clock.nowMs();
      const model = profile.model.name || options.model;
      const settings = settingsFor(options.settings ?? default_settings, profile.model.realtime);
      const url = realtimeUrl(options.baseUrl, model);
      const socket = await openSocket({ url, apiKey: options.apiKey, timeoutMs: options.connectTimeoutMs });
      const session = new RealtimeSession({
        socket,
        clock,
        counts,
        appendMs: options.appendMs,
        call,
        models: { response: model, transcription: settings.transcription_model },
        onClosed: () => sessions.delete(session),
        ...(options.log === undefined ? {} : { log: options.log }),
      });
      sessions.add(session);
      await session.start(
        sessionUpdate({
          instructions: sessionInstructions(profile, call.now()),
          codec: call.codec,
          voice: profile.model.voice === offline_voice ? options.voice : profile.model.voice,
          settings,
          endOfSpeechMs: profile.turns.end_of_speech_ms,
          language: profile.language,
          tools: declaredTools(profile.tools, call.tools ?? options.tools ?? {}),
        }),
        Math.max(1, options.connectTimeoutMs - (clock.nowMs() - startedMs)),
      );
      return session;
    },
    async close(): Promise<void> {
      await Promise.all([...sessions].map((session) => session.closeAndWait()));
    },
  };
}

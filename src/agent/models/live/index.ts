/** OpenAI's Live API (`/v1/live/sessions`, full duplex), or any server that speaks it, as a voice model. */
import type { SessionStartEvent } from 'openai/resources/live/live';
import type { WebSocket } from 'ws';
import { systemClock, type Clock } from '../../../base/clock.ts';
import { TrunklineError } from '../../../base/errors.ts';
import type { Log } from '../../../base/log.ts';
import type { AgentProfile } from '../../profile.ts';
import type {
  ConnectOptions,
  VoiceModel,
  VoiceSession,
  WarmOptions,
  WarmSession,
} from '../../voice-model.ts';
import { ConnectError } from '../connect-error.ts';
import { sessionInstructions } from '../instructions.ts';
import { declaredTools, offline_voice, type ToolDeclaration } from '../tool-declarations.ts';
import { endpointUrl, openSocket } from '../voice-socket/open-socket.ts';
import { settingsFor } from '../voice-socket/overrides.ts';
import { sessionStart, type Backend } from './client-events.ts';
import { voiceInstructions } from './instructions.ts';
import { ResponsesBackend } from './responses-backend.ts';
import { LiveSession, type LiveCounts, type LiveSessionOptions } from './session.ts';
import { liveSettingsSchema, type LiveSettings } from './settings.ts';
import { TaskBackend } from './task-backend.ts';
import { WarmSocket } from './warm-socket.ts';

export interface LiveOptions {
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
  readonly settings?: LiveSettings;
  /** Declarations of the tools that profiles may list, by name. `hang_up` is always there. */
  readonly tools?: Readonly<Record<string, ToolDeclaration>>;
  readonly log?: Log;
  readonly clock?: Clock;
}

export interface LiveModel extends VoiceModel {
  readonly openSessions: number;
  /** Of all sessions so far, ended ones too. */
  readonly counts: Readonly<LiveCounts>;
}

const default_settings = liveSettingsSchema.parse({});

/**
 * Each call gets a WebSocket of its own. `connect` rejects with MODEL_UNAVAILABLE (a ConnectError, which also
 * says whether to try again).
 */
export function createLiveModel(options: LiveOptions): LiveModel {
  const clock = options.clock ?? systemClock;
  const sessions = new Set<LiveSession>();
  const counts: LiveCounts = {
    unknownEvents: 0,
    notEvents: 0,
    errors: 0,
    droppedAppends: 0,
    mutedReplies: 0,
  };
  const waiting = new Set<WarmSocket>();
  const urlOf = (): URL => endpointUrl(options.baseUrl, 'live/sessions');
  const open = (): Promise<WebSocket> =>
    openSocket({ url: urlOf(), apiKey: options.apiKey, timeoutMs: options.connectTimeoutMs });
  const begin = async (
    call: ConnectOptions,
    { start, settings, models }: Prepared,
    { socket, timeoutMs }: { socket: WebSocket; timeoutMs: number },
  ): Promise<VoiceSession> => {
    const session = new LiveSession({
      ...{ socket, clock, counts, call, models, appendMs: options.appendMs, provider: urlOf().host },
      backend: backendFor(settings, call, clock),
      onClosed: () => sessions.delete(session),
      ...(options.log === undefined ? {} : { log: options.log }),
    });
    sessions.add(session);
    await session.start(start, timeoutMs);
    return session;
  };
  return {
    name: 'live',
    counts,
    get openSessions() {
      return sessions.size;
    },
    async connect(call: ConnectOptions): Promise<VoiceSession> {
      const startedMs = clock.nowMs();
      const session = prepared(options, call);
      const socket = await open();
      const timeoutMs = Math.max(1, options.connectTimeoutMs - (clock.nowMs() - startedMs));
      return begin(call, session, { socket, timeoutMs });
    },
    /** A connection and no more: see warm-socket.ts. */
    async warm({ spent, ...known }: WarmOptions): Promise<WarmSession> {
      prepared(options, { ...known, codec: 'pcmu' });
      const socket = await open();
      const warm: WarmSocket = new WarmSocket({ socket, clock, spent, onGone: () => waiting.delete(warm) });
      waiting.add(warm);
      return {
        get usable() {
          return warm.usable;
        },
        async attach(call: ConnectOptions): Promise<VoiceSession> {
          const taken = warm.take();
          if (taken === null) throw new ConnectError('the connection ended before the call had it', true);
          return begin(call, prepared(options, call), { socket: taken, timeoutMs: options.connectTimeoutMs });
        },
        close: () => warm.close(),
      };
    },
    async close(): Promise<void> {
      for (const warm of [...waiting]) warm.close();
      await Promise.all([...sessions].map((session) => session.closeAndWait()));
    },
  };
}

/** Everything that is settled before the socket is used. */
interface Prepared {
  readonly start: SessionStartEvent;
  readonly settings: LiveSettings;
  readonly models: LiveSessionOptions['models'];
}

/** @throws TrunklineError MODEL_UNAVAILABLE when the configuration does not fit together */
function prepared(
  options: LiveOptions,
  { profile, codec, now, tools, history }: Omit<ConnectOptions, 'callId' | 'on'>,
): Prepared {
  const model = profile.model.name || options.model;
  const settings = settingsFor(options.settings ?? default_settings, profile.model.live);
  const start = sessionStart({
    model,
    voice: profile.model.voice === offline_voice ? options.voice : profile.model.voice,
    codec,
    instructions: voiceInstructions(profile),
    backend: declaredBackend(settings, profile, now(), tools ?? options.tools ?? {}),
    history: history ?? [],
  });
  return { start, settings, models: { voice: model, backend: settings.backend_model } };
}

function backendFor(
  settings: LiveSettings,
  { profile, now }: ConnectOptions,
  clock: Clock,
): LiveSessionOptions['backend'] {
  return settings.delegation === 'client'
    ? (hands) => new TaskBackend({ profile, now, clock, hands })
    : (hands, send) => new ResponsesBackend({ clock, hands, send });
}

function declaredBackend(
  settings: LiveSettings,
  profile: AgentProfile,
  now: Date,
  declarations: Readonly<Record<string, ToolDeclaration>>,
): Backend {
  if (settings.delegation === 'client') return { type: 'client' };
  if (settings.backend_model === '')
    throw new TrunklineError(
      'MODEL_UNAVAILABLE',
      'live.delegation is "responses", and live.backend_model names no model',
    );
  return {
    type: 'responses',
    model: settings.backend_model,
    instructions: sessionInstructions(profile, now),
    tools: declaredTools(profile.tools, declarations),
    reasoningEffort: settings.reasoning_effort,
  };
}

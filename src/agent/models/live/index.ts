/** OpenAI's Live API (`/v1/live/sessions`, full duplex), or any server that speaks it, as a voice model. */
import type { SessionStartEvent } from 'openai/resources/live/live';
import type { WebSocket } from 'ws';
import { systemClock, type Clock } from '../../../base/clock.ts';
import { TrunklineError } from '../../../base/errors.ts';
import type { AgentProfile } from '../../profile.ts';
import type { ConnectOptions, VoiceSession, WarmOptions, WarmSession } from '../../voice-model.ts';
import { ConnectError } from '../connect-error.ts';
import { sessionInstructions } from '../instructions.ts';
import { profileVoice } from '../profile-voice.ts';
import { declaredTools, type ToolDeclaration } from '../tool-declarations.ts';
import { OpenSessions, type SocketModel, type SocketModelOptions } from '../voice-socket/model.ts';
import { endpointUrl, openSocket } from '../voice-socket/open-socket.ts';
import { settingsFor } from '../voice-socket/overrides.ts';
import { sessionStart, type Backend } from './client-events.ts';
import { voiceInstructions } from './instructions.ts';
import { ResponsesBackend } from './responses-backend.ts';
import { LiveSession, type LiveCounts, type LiveSessionOptions } from './session.ts';
import { liveSettingsSchema, type LiveSettings } from './settings.ts';
import { TaskBackend } from './task-backend.ts';
import { WarmSocket } from './warm-socket.ts';

export type LiveOptions = SocketModelOptions<LiveSettings>;
export type LiveModel = SocketModel<LiveCounts>;

const default_settings = liveSettingsSchema.parse({});

/**
 * Each call gets a WebSocket of its own. `connect` rejects with MODEL_UNAVAILABLE (a ConnectError, which also
 * says whether to try again).
 */
export function createLiveModel(options: LiveOptions): LiveModel {
  const clock = options.clock ?? systemClock;
  const sessions = new OpenSessions<LiveSession>();
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
    const session = sessions.add(
      (onClosed) =>
        new LiveSession({
          ...{ socket, clock, counts, call, models, onClosed, appendMs: options.appendMs },
          provider: urlOf().host,
          backend: backendFor(settings, call, clock),
          ...(options.log === undefined ? {} : { log: options.log }),
        }),
    );
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
      await sessions.close();
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
    voice: profileVoice(profile, options.voice),
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

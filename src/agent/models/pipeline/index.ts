/**
 * Self-hosted or rented models in a row as one voice: transcription, chat, speech, each an OpenAI-compatible
 * server.
 */
import { setMaxListeners } from 'node:events';
import type { ChatCompletionFunctionTool } from 'openai/resources/chat/completions';
import { systemClock, type Clock } from '../../../base/clock.ts';
import { permittedNames } from '../../tools/permission.ts';
import type { ConnectOptions, VoiceModel, VoiceSession } from '../../voice-model.ts';
import { ConnectError } from '../realtime/connect.ts';
import { sessionInstructions } from '../realtime/instructions.ts';
import { Chat } from './chat.ts';
import { Clients } from './clients.ts';
import { stageError, type Stage } from './failure.ts';
import { History } from './history.ts';
import { Phrases } from './phrases.ts';
import { Servers } from './servers.ts';
import { PipelineSession } from './session.ts';
import type { PipelineSettings } from './settings.ts';
import { Speech } from './speech.ts';
import { Transcriber } from './transcriber.ts';

/** What the model is told of a tool. */
export interface ToolDeclaration {
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: Record<string, unknown>;
}

export interface PipelineOptions extends PipelineSettings {
  /** Declarations of the tools that profiles may list, by name. `hang_up` is always there. */
  readonly tools?: Readonly<Record<string, ToolDeclaration>>;
  readonly clock?: Clock;
}

export interface PipelineModel extends VoiceModel {
  readonly openSessions: number;
}

/** The profile schema's default voice belongs to the offline synthesiser; no other server knows it. */
const OFFLINE_VOICE = 'slt';

const SPOKEN =
  'What you write is spoken to the caller: plain sentences, no lists, markdown, emoji or web addresses.';

const HANG_UP: ToolDeclaration = {
  description: 'Ends the call once everything said so far has been played to the caller.',
  parameters: {
    type: 'object',
    properties: { reason: { type: 'string', description: 'Why the call is over, in a few words.' } },
    required: ['reason'],
    additionalProperties: false,
  },
};

/**
 * The sessions of a thread share connections, what is known of the servers' health, and the sound of fixed
 * phrases. `connect` rejects with MODEL_UNAVAILABLE (a ConnectError) when the greeting cannot be spoken.
 */
export function createPipelineModel(options: PipelineOptions): PipelineModel {
  const clock = options.clock ?? systemClock;
  const clients = new Clients();
  const stopped = new AbortController();
  // One listener per phrase under way, of however many calls.
  setMaxListeners(0, stopped.signal);
  const sessions = new Set<PipelineSession>();
  const stage = <S extends { baseUrl: string; apiKey: string }>(
    name: Stage,
    servers: readonly S[],
  ): Servers<S> =>
    new Servers({
      stage: name,
      clock,
      breaker: options.breaker,
      servers: servers.map((settings) => ({ settings, ...clients.create(settings) })),
    });
  const { transcription, chat, speech } = options;
  const transcriber = new Transcriber({
    ...transcription,
    clock,
    servers: stage('transcription', transcription.servers),
  });
  const talker = new Chat({ ...chat, clock, servers: stage('chat', chat.servers) });
  const speaker = new Speech({ ...speech, clock, servers: stage('speech', speech.servers) });
  const phrases = new Phrases(speaker, stopped.signal);
  return {
    name: 'pipeline',
    get openSessions() {
      return sessions.size;
    },
    async connect(call: ConnectOptions): Promise<VoiceSession> {
      const { profile } = call;
      const system = `${sessionInstructions(profile, call.now())}\n${SPOKEN}`;
      const history = new History({ system, charsMax: chat.historyCharsMax });
      history.takeOver(call.history ?? []);
      const session = new PipelineSession({
        ...{ call, clock, history, transcriber, phrases, chat: talker, speech: speaker },
        tools: declaredTools(profile.tools, call.tools ?? options.tools ?? {}),
        model: profile.model.name,
        voice: profile.model.voice === OFFLINE_VOICE ? '' : profile.model.voice,
        toolRoundsMax: chat.toolRoundsMax,
        onClosed: () => sessions.delete(session),
      });
      sessions.add(session);
      try {
        await session.prepare();
      } catch (thrown) {
        session.close();
        const failure = stageError('speech', 'the speech server', thrown);
        throw new ConnectError(failure.detail, failure.retryable, { cause: thrown });
      }
      return session;
    },
    async close(): Promise<void> {
      for (const session of [...sessions]) session.close();
      stopped.abort();
      await clients.close();
    },
  };
}

/** A tool that nobody declared still has a name; the model then fills the arguments freely. */
function declaredTools(
  names: readonly string[],
  declarations: Readonly<Record<string, ToolDeclaration>>,
): ChatCompletionFunctionTool[] {
  const known: Readonly<Record<string, ToolDeclaration>> = { ...declarations, hang_up: HANG_UP };
  const named = permittedNames(names, Object.keys(declarations));
  return [...new Set([...named, 'hang_up'])].map((name) => ({
    type: 'function',
    function: {
      name,
      description: known[name]?.description ?? name.replaceAll('_', ' '),
      parameters: known[name]?.parameters ?? { type: 'object', properties: {} },
    },
  }));
}

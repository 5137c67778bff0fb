/**
 * Self-hosted or rented models in a row as one voice: transcription, chat, speech, each an OpenAI-compatible
 * server.
 */
import { setMaxListeners } from 'node:events';
import type { ChatCompletionFunctionTool } from 'openai/resources/chat/completions';
import { systemClock, type Clock } from '../../../base/clock.ts';
import type { ConnectOptions, VoiceModel, VoiceSession } from '../../voice-model.ts';
import { ConnectError } from '../connect-error.ts';
import { sessionInstructions } from '../instructions.ts';
import { profileVoice } from '../profile-voice.ts';
import { declaredTools, type ToolDeclaration } from '../tool-declarations.ts';
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

export interface PipelineOptions extends PipelineSettings {
  /** Declarations of the tools that profiles may list, by name. `hang_up` is always there. */
  readonly tools?: Readonly<Record<string, ToolDeclaration>>;
  readonly clock?: Clock;
}

export interface PipelineModel extends VoiceModel {
  readonly openSessions: number;
}

const SPOKEN =
  'What you write is spoken to the caller: plain sentences, no lists, markdown, emoji or web addresses.';

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
        tools: chatTools(profile.tools, call.tools ?? options.tools ?? {}),
        model: profile.model.name,
        voice: profileVoice(profile, ''),
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

/** As chat completions want them: the same declarations, one level deeper. */
function chatTools(
  names: readonly string[],
  declarations: Readonly<Record<string, ToolDeclaration>>,
): ChatCompletionFunctionTool[] {
  return declaredTools(names, declarations).map(({ type, ...declared }) => ({ type, function: declared }));
}

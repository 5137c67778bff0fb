/** What we say to a Live server: builders typed by the vendor's own package, one per event that we send. */
import type {
  AudioFormat,
  CommentaryAppendEvent,
  FunctionTool,
  InitialItem,
  ResponseCreateEvent,
  ResponseItemCreateEvent,
  SessionCloseEvent,
  SessionConfig,
  SessionStartEvent,
  ThinkingAppendEvent,
} from 'openai/resources/live/live';
import { SAMPLE_RATE_HZ, type Codec } from '../../../media/frame.ts';
import type { HistoryTurn } from '../../voice-model.ts';
import { tool_result_chars_max } from '../limits.ts';
import { recentTurns } from '../voice-socket/recent-turns.ts';
import { append_chars_max, appends_max, history_chars_max, history_turns_max } from './limits.ts';

export type ClientEvent =
  | CommentaryAppendEvent
  | ResponseCreateEvent
  | ResponseItemCreateEvent
  | SessionCloseEvent
  | SessionStartEvent
  | ThinkingAppendEvent;

/** G.711 goes through untouched, as with Realtime. */
export function audioFormat(codec: Codec): AudioFormat {
  return { type: codec === 'pcmu' ? 'audio/pcmu' : 'audio/pcma', rate: SAMPLE_RATE_HZ };
}

/** Who thinks and calls tools while the Live model speaks. */
export type Backend =
  /** This process: src/agent/models/live/task-backend.ts. */
  | { readonly type: 'client' }
  /** A text model at the vendor. */
  | {
      readonly type: 'responses';
      readonly model: string;
      readonly instructions: string;
      readonly tools: FunctionTool[];
      /** `default`: as the model does by itself. */
      readonly reasoningEffort: 'default' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh';
    };

export interface SessionSettings {
  readonly model: string;
  readonly voice: string;
  readonly codec: Codec;
  /** How to speak, and when to delegate. */
  readonly instructions: string;
  readonly backend: Backend;
  readonly history: readonly HistoryTurn[];
}

export function sessionStart(settings: SessionSettings): SessionStartEvent {
  const input = recentTurns(settings.history, { turns: history_turns_max, chars: history_chars_max });
  return {
    type: 'session.start',
    session: {
      model: settings.model,
      instructions: settings.instructions,
      audio: { format: audioFormat(settings.codec), output: { voice: settings.voice } },
      delegation: delegation(settings.backend),
      ...(input.length === 0 ? {} : { input: input.map(initialItem) }),
    },
  };
}

function delegation(backend: Backend): NonNullable<SessionConfig['delegation']> {
  if (backend.type === 'client') return { type: 'client' };
  const { model, instructions, tools, reasoningEffort: effort } = backend;
  return {
    type: 'responses',
    responses: {
      model,
      instructions,
      tools,
      ...(effort === 'default' ? {} : { reasoning: { effort } }),
    },
  };
}

function initialItem({ from, text }: HistoryTurn): InitialItem {
  switch (from) {
    case 'caller':
      return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
    case 'agent':
      return { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] };
    case 'note':
      return { type: 'message', role: 'developer', content: [{ type: 'input_text', text }] };
  }
}

/** To be spoken: as many appends as the vendor's limit makes of the text. */
export function commentary(text: string, delegationId: string | null): CommentaryAppendEvent[] {
  return pieces(text).map((content) => ({
    type: 'session.commentary.append',
    delegation_id: delegationId,
    content,
  }));
}

/** To be known, not said. */
export function thinking(text: string, delegationId: string | null): ThinkingAppendEvent[] {
  return pieces(text).map((content) => ({
    type: 'session.thinking.append',
    delegation_id: delegationId,
    content,
  }));
}

/** Cut between words where there are any. */
function pieces(text: string): string[] {
  const cut: string[] = [];
  let rest = text.trim();
  while (rest !== '' && cut.length < appends_max) {
    const space = rest.length > append_chars_max ? rest.lastIndexOf(' ', append_chars_max) : rest.length;
    const length = space > 0 ? space : append_chars_max;
    cut.push(rest.slice(0, length));
    rest = rest.slice(length).trim();
  }
  return cut;
}

/** What a tool gave the Responses backend. */
export function toolOutput(callId: string, result: unknown): ResponseItemCreateEvent {
  const output = JSON.stringify(result ?? null).slice(0, tool_result_chars_max);
  return {
    type: 'response.item.create',
    item: { type: 'function_call_output', call_id: callId, output },
  };
}

/** Something that the Responses backend has to know and that nobody said. */
export function note(text: string): ResponseItemCreateEvent {
  return { type: 'response.item.create', item: { type: 'message', role: 'user', content: text } };
}

/** Lets the Responses backend go on. */
export function responseCreate(): ResponseCreateEvent {
  return { type: 'response.create' };
}

export function sessionClose(): SessionCloseEvent {
  return { type: 'session.close' };
}

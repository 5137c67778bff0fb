/**
 * Live mode for the Realtime protocol: a model made of the offline recogniser, dialog and synthesiser. It
 * hears the client's sound, ends turns, answers them by voice and by calls of the tools that the session
 * declares, and can be interrupted.
 */
import { Dialog, type DialogAction } from '../../../src/agent/models/offline/dialog.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { newId } from '../../../src/base/ids.ts';
import type { ClientEvent, ClientEventOf } from './client-schema.ts';
import type { Connection } from './connection.ts';
import type { Behaviour } from './server.ts';
import { SpokenReply } from './spoken-reply.ts';
import { fromLine, lineFormat, toLine, type LineFormat } from './speech/line-format.ts';
import { Listener } from './speech/listener.ts';
import type { SpeechMachine } from './speech/machine.ts';

/** Sound per delta, and how much faster than it is played it is sent, as the vendor does. */
const delta_ms = 200;
const pace = 5;
/** Roughly what instructions and tools come to; sound is read at ten tokens per second. */
const prompt_tokens = 300;

export interface ReceptionistOptions {
  readonly machine: SpeechMachine;
  readonly now?: () => Date;
  /** Simulated ms per real ms, for calls in simulated time; 1 by itself. */
  readonly speed?: number;
}

export function receptionist(options: ReceptionistOptions): (connection: Connection) => Behaviour {
  return (connection) => {
    const model = new Receptionist(connection, options);
    return { event: (event) => model.take(event), closed: () => model.close() };
  };
}

/** What the model has to answer next. */
interface Input {
  /** Of what the caller said: an item that is deleted is not answered. */
  readonly itemId?: string;
  readonly answer: () => Promise<readonly DialogAction[]>;
}

interface Running {
  readonly reply: SpokenReply;
  cancelled: 'turn_detected' | 'client_cancelled' | null;
}

class Receptionist {
  readonly #connection: Connection;
  readonly #machine: SpeechMachine;
  readonly #dialog: Dialog;
  readonly #pauseMs: number;
  /** Function calls that wait for their output -> their names. */
  readonly #calls = new Map<string, string>();
  #inputs: Input[] = [];
  #running: Running | null = null;
  #listener: Listener | null = null;
  #utteranceId = '';
  #closed = false;

  constructor(connection: Connection, options: ReceptionistOptions) {
    const { machine, now = () => new Date() } = options;
    this.#pauseMs = delta_ms / pace / (options.speed ?? 1);
    this.#connection = connection;
    this.#machine = machine;
    this.#dialog = new Dialog({ profile: machine.profile, now });
  }

  take(event: ClientEvent): void {
    switch (event.type) {
      case 'input_audio_buffer.append':
        this.#ears().hear(fromLine(this.#format('input'), Buffer.from(event.audio, 'base64')));
        return;
      case 'input_audio_buffer.commit':
        if (!this.#ears().finish())
          this.#connection.error('input_audio_buffer_commit_empty', 'The buffer is empty.', event.event_id);
        return;
      case 'conversation.item.create':
        this.#itemCreated(event.item);
        return;
      case 'conversation.item.delete':
        this.#inputs = this.#inputs.filter((input) => input.itemId !== event.item_id);
        return;
      case 'response.create':
        this.#responseAsked(event);
        return;
      case 'response.cancel':
        if (this.#running !== null) this.#running.cancelled = 'client_cancelled';
        else this.#connection.error('response_cancel_not_active', 'No response is active.', event.event_id);
        return;
      default:
        return;
    }
  }

  close(): void {
    this.#closed = true;
    this.#listener?.close();
  }

  #format(direction: 'input' | 'output'): LineFormat {
    return lineFormat(this.#connection.session.audio?.[direction]?.format);
  }

  /** Made with the first sound: by then the session says in which format it comes. */
  #ears(): Listener {
    if (this.#listener !== null) return this.#listener;
    const { codec } = this.#format('input');
    const detection = this.#connection.session.audio?.input?.turn_detection;
    const silenceMs = detection?.type === 'server_vad' ? detection.silence_duration_ms : undefined;
    this.#listener = new Listener({
      ear: this.#machine.ear(codec),
      codec,
      endOfSpeechMs: silenceMs ?? 500,
      started: (atMs) => this.#speechStarted(atMs),
      stopped: (atMs, text) => void this.#speechStopped(atMs, text),
    });
    return this.#listener;
  }

  #speechStarted(atMs: number): void {
    this.#utteranceId = newId('item');
    const detection = this.#connection.session.audio?.input?.turn_detection;
    if (detection === null) return;
    this.#connection.send({
      type: 'input_audio_buffer.speech_started',
      item_id: this.#utteranceId,
      audio_start_ms: atMs,
    });
    if (detection?.interrupt_response !== false && this.#running !== null)
      this.#running.cancelled = 'turn_detected';
  }

  async #speechStopped(atMs: number, text: Promise<string>): Promise<void> {
    const id = this.#utteranceId;
    const { input } = this.#connection.session.audio ?? {};
    const detection = input?.turn_detection;
    if (detection !== null)
      this.#connection.send({ type: 'input_audio_buffer.speech_stopped', item_id: id, audio_end_ms: atMs });
    this.#connection.send({ type: 'input_audio_buffer.committed', item_id: id, previous_item_id: null });
    this.#connection.addItem({
      id,
      object: 'realtime.item',
      type: 'message',
      status: 'completed',
      role: 'user',
      // Not known yet. Empty, because OpenAI's types know no null here, and the Agents SDK wants the field.
      content: [{ type: 'input_audio', transcript: '' }],
    });
    // What the ears lost was not understood, and is asked for again.
    this.#inputs.push({
      itemId: id,
      answer: async () => this.#dialog.heard(await text.catch(() => '')),
    });
    if (detection !== null && detection?.create_response !== false && this.#running === null) {
      // A response that was interrupted is still saying so: the answer follows it.
      void this.#respond(null);
    }
    if (input?.transcription === undefined) return;
    const seconds = (this.#listener?.heardMs ?? 0) / 1000;
    this.#transcribed(id, await text.catch(() => null), seconds);
  }

  #transcribed(id: string, text: string | null, seconds: number): void {
    const part = { item_id: id, content_index: 0 };
    if (text === null) {
      this.#connection.send({
        type: 'conversation.item.input_audio_transcription.failed',
        ...part,
        error: {
          type: 'transcription_error',
          code: 'audio_unintelligible',
          message: 'Nothing was understood.',
        },
      });
      return;
    }
    this.#connection.send({
      type: 'conversation.item.input_audio_transcription.delta',
      ...part,
      delta: text,
    });
    this.#connection.send({
      type: 'conversation.item.input_audio_transcription.completed',
      ...part,
      transcript: text,
      usage: { type: 'duration', seconds },
    });
  }

  #itemCreated(item: ClientEventOf<'conversation.item.create'>['item']): void {
    if (item.type === 'function_call_output') {
      const name = this.#calls.get(item.call_id);
      this.#calls.delete(item.call_id);
      if (name === 'hang_up') this.#dialog.resume();
      else if (name !== undefined)
        this.#inputs.push({
          answer: () => Promise.resolve(this.#dialog.toolResult(parsed(item.output))),
        });
      return;
    }
    if (item.role !== 'user') return;
    const words = item.content.map((part) => part.text).join(' ');
    const keys = /^\[The caller pressed the keys ([0-9*#A-D]+)\]$/.exec(words)?.[1];
    const answer = (): DialogAction[] =>
      keys === undefined
        ? this.#dialog.heard(words.toLowerCase())
        : Array.from(keys).flatMap((key) => this.#dialog.digit(key));
    this.#inputs.push({ answer: () => Promise.resolve(answer()) });
  }

  #responseAsked(event: ClientEventOf<'response.create'>): void {
    if (this.#running !== null) {
      this.#connection.error(
        'conversation_already_has_active_response',
        'A response is running.',
        event.event_id,
      );
      return;
    }
    // Instructions that quote words want exactly these said; the turn that waits is answered afterwards.
    const quoted = /"(?:[^"\\]|\\.)*"/.exec(event.response?.instructions ?? '')?.[0];
    const exactly = quoted === undefined ? undefined : String(parsed(quoted));
    void this.#respond(event.response?.metadata ?? null, exactly);
  }

  async #respond(metadata: Record<string, string> | null, exactly?: string): Promise<void> {
    const running: Running = { reply: new SpokenReply(this.#connection, metadata), cancelled: null };
    this.#running = running;
    let failed = false;
    try {
      const actions =
        exactly === undefined ? await this.#answers() : [{ type: 'say' as const, text: exactly }];
      for (const action of actions) {
        if (running.cancelled !== null || this.#closed) break;
        await this.#act(action, running);
      }
    } catch {
      failed = true;
    }
    if (this.#closed) return;
    this.#listener?.expect(this.#dialog.expecting);
    const inputAudioTokens = Math.ceil((this.#listener?.heardMs ?? 0) / 100);
    const status = failed ? 'failed' : running.cancelled === null ? 'completed' : 'cancelled';
    running.reply.done(status, {
      ...(running.cancelled === null ? {} : { reason: running.cancelled }),
      ...(failed ? { errorCode: 'server_error' } : {}),
      inputAudioTokens,
      inputTextTokens: prompt_tokens,
    });
    this.#connection.send({
      type: 'rate_limits.updated',
      rate_limits: [
        { name: 'tokens', limit: 100_000, remaining: 100_000 - prompt_tokens, reset_seconds: 0.2 },
      ],
    });
    this.#running = null;
    // What the caller said over an interrupted reply is answered by itself, as the vendor does.
    if (running.cancelled === 'turn_detected' && this.#inputs.length > 0) void this.#respond(null);
  }

  async #answers(): Promise<DialogAction[]> {
    const inputs = this.#inputs;
    this.#inputs = [];
    const actions: DialogAction[] = [];
    for (const input of inputs) actions.push(...(await input.answer()));
    return actions;
  }

  async #act(action: DialogAction, running: Running): Promise<void> {
    if (action.type === 'say') {
      await this.#say(action.text, running);
      return;
    }
    const name = action.type === 'tool' ? action.name : 'hang_up';
    const args = action.type === 'tool' ? action.arguments : { reason: action.reason };
    const declared = this.#connection.session.tools?.some((tool) => 'name' in tool && tool.name === name);
    if (declared !== true) return;
    this.#calls.set(running.reply.call(name, JSON.stringify(args)), name);
  }

  /** Sound is sent faster than it plays, not all at once: there is something to cancel. */
  #pace(): Promise<undefined> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    systemClock.after(this.#pauseMs, () => resolve(undefined));
    return promise;
  }

  async #say(text: string, running: Running): Promise<void> {
    const format = this.#format('output');
    const stopped = (): boolean => running.cancelled !== null || this.#closed;
    for await (const { sentence, bytes } of this.#machine.speak(text, format.codec)) {
      if (stopped()) return;
      running.reply.words(`${sentence} `);
      for (let at = 0; at < bytes.length; at += delta_ms * 8) {
        running.reply.audio(toLine(format, bytes.subarray(at, at + delta_ms * 8)));
        await this.#pace();
        if (stopped()) return;
      }
    }
    running.reply.endItem();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Live mode for the Live protocol: a full-duplex model made of the offline recogniser and synthesiser. It
 * hears while it speaks and stops when it is spoken to. With client delegation it hands over every sentence
 * and says whatever comes back; with Responses delegation a text model, the offline dialog, thinks for it.
 */
import { Dialog, type DialogAction } from '../../../../src/agent/models/offline/dialog.ts';
import { newId } from '../../../../src/base/ids.ts';
import type { ReceptionistOptions } from '../receptionist.ts';
import { expectationAfter } from '../speech/expectation.ts';
import { fromLine, lineFormat, type LineFormat } from '../speech/line-format.ts';
import { Listener } from '../speech/listener.ts';
import type { SpeechMachine } from '../speech/machine.ts';
import type { LiveClientEvent, LiveClientEventOf } from './client-schema.ts';
import type { LiveConnection } from './connection.ts';
import type { LiveBehaviour } from './server.ts';
import { VoiceLine } from './voice-line.ts';

const end_of_speech_ms = 500;
/** The vendor tells usage about so often. */
const usage_ms = 15_000;

export function liveReceptionist(
  options: ReceptionistOptions,
): (connection: LiveConnection) => LiveBehaviour {
  return (connection) => {
    const model = new LiveReceptionist(connection, options);
    return { event: (event) => model.take(event), closed: () => model.close() };
  };
}

interface Talk {
  readonly format: LineFormat;
  readonly listener: Listener;
  readonly line: VoiceLine;
  readonly startedMs: number;
  readonly usageTimer: NodeJS.Timeout;
}

class LiveReceptionist {
  readonly #connection: LiveConnection;
  readonly #machine: SpeechMachine;
  readonly #dialog: Dialog;
  readonly #speed: number;
  readonly #calls = new Map<string, string>();
  /** What waits for the backend's next response. */
  #inputs: DialogAction[] = [];
  #talk: Talk | null = null;
  /** Speech is made one text after the other; a new number drops what was under way. */
  #speaking: Promise<void> = Promise.resolve();
  #speech = 0;

  constructor(connection: LiveConnection, options: ReceptionistOptions) {
    const { machine, now = () => new Date() } = options;
    this.#speed = options.speed ?? 1;
    this.#connection = connection;
    this.#machine = machine;
    this.#dialog = new Dialog({ profile: machine.profile, now });
  }

  take(event: LiveClientEvent): void {
    switch (event.type) {
      case 'session.start':
        this.#talk = this.#start();
        return;
      case 'session.input_audio.append':
        if (this.#talk !== null)
          this.#talk.listener.hear(fromLine(this.#talk.format, Buffer.from(event.audio, 'base64')));
        return;
      case 'session.commentary.append':
        this.#appended('session.commentary.appended', event.event_id);
        this.#say(event.content);
        this.#talk?.listener.expect(expectationAfter(event.content, this.#machine.profile));
        return;
      case 'session.instructions.append':
        this.#appended('session.instructions.appended', event.event_id);
        return;
      case 'session.thinking.append':
        this.#appended('session.thinking.appended', event.event_id);
        return;
      case 'response.item.create':
        this.#item(event.item);
        return;
      case 'response.create':
        this.#respond(this.#inputs.splice(0));
        return;
      case 'session.input_audio.mute':
      case 'session.input_audio.unmute':
        this.#connection.send({ type: `${event.type}d` });
        return;
      case 'session.close':
        this.#end();
        return;
    }
  }

  close(): void {
    if (this.#talk === null) return;
    const { listener, line, usageTimer } = this.#talk;
    this.#talk = null;
    this.#speech += 1;
    clearInterval(usageTimer);
    listener.close();
    line.close();
  }

  #start(): Talk {
    const format = lineFormat(this.#connection.session?.audio?.format);
    return {
      format,
      startedMs: performance.now(),
      listener: new Listener({
        ear: this.#machine.ear(format.codec),
        codec: format.codec,
        endOfSpeechMs: end_of_speech_ms,
        started: () => this.#stopSpeaking(),
        stopped: (atMs, text) => void this.#heard(atMs, text),
      }),
      line: new VoiceLine({
        format,
        speed: this.#speed,
        sound: (bytes) =>
          this.#connection.send({
            type: 'session.output_audio.delta',
            delta: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'),
          }),
        words: (text, start_ms, end_ms) =>
          this.#connection.send({
            type: 'session.output_transcript.delta',
            delta: `${text} `,
            start_ms,
            end_ms,
          }),
      }),
      usageTimer: setInterval(
        () => this.#connection.send({ type: 'session.usage.updated', usage: { seconds: this.#seconds } }),
        usage_ms / this.#speed,
      ),
    };
  }

  get #seconds(): number {
    const realMs = this.#talk === null ? 0 : performance.now() - this.#talk.startedMs;
    return Math.ceil((realMs * this.#speed) / 1000);
  }

  get #nowMs(): number {
    return this.#talk?.line.nowMs ?? 0;
  }

  #appended(
    type: 'session.commentary.appended' | 'session.instructions.appended' | 'session.thinking.appended',
    clientEventId: string | undefined,
  ): void {
    const named = clientEventId === undefined ? {} : { client_event_id: clientEventId };
    this.#connection.send({ type, start_ms: this.#nowMs, end_ms: this.#nowMs, ...named });
  }

  #stopSpeaking(): void {
    this.#speech += 1;
    this.#talk?.line.stop();
  }

  #say(text: string): void {
    const speech = this.#speech;
    this.#speaking = this.#speaking.then(async () => {
      const talk = this.#talk;
      if (talk === null || speech !== this.#speech) return;
      for await (const { sentence, bytes } of this.#machine.speak(text, talk.format.codec)) {
        if (speech !== this.#speech) return;
        talk.line.say(sentence, bytes);
      }
    });
    // A synthesiser that died leaves the line silent, as any model may.
    this.#speaking = this.#speaking.catch(() => undefined);
  }

  async #heard(atMs: number, hearing: Promise<string>): Promise<void> {
    const text = await hearing.catch(() => '');
    if (this.#talk === null) return;
    const words = text.split(' ').filter(Boolean);
    const start_ms = Math.max(0, atMs - end_of_speech_ms);
    for (const word of words)
      this.#connection.send({
        type: 'session.input_transcript.delta',
        delta: `${word} `,
        start_ms,
        end_ms: start_ms,
      });
    if (this.#connection.session?.delegation?.type === 'responses') this.#respond(this.#dialog.heard(text));
    else this.#delegate('client');
  }

  #delegate(target: 'client' | 'responses', more: { response_id?: string } = {}): string {
    const id = newId('dlg');
    this.#connection.send({
      type: 'session.delegation.created',
      offset_ms: this.#nowMs,
      delegation: { id, type: 'delegation', target, ...more },
    });
    return id;
  }

  #item(item: LiveClientEventOf<'response.item.create'>['item']): void {
    if (item.type === 'message') {
      const keys = /keys ([0-9*#A-D]+)/.exec(item.content)?.[1] ?? '';
      this.#inputs.push(...Array.from(keys).flatMap((key) => this.#dialog.digit(key)));
      return;
    }
    const name = this.#calls.get(item.call_id);
    this.#calls.delete(item.call_id);
    if (name === 'hang_up') this.#dialog.resume();
    else if (name !== undefined) this.#inputs.push(...this.#dialog.toolResult(parsed(item.output)));
  }

  /** The text model's response: tools as function calls, words to the voice. */
  #respond(actions: readonly DialogAction[]): void {
    const responseId = newId('resp');
    const delegation_id = this.#delegate('responses', { response_id: responseId });
    const tell = (event: Record<string, unknown>): void =>
      this.#connection.send({ type: 'response.event', delegation_id, event });
    tell({ type: 'response.created', response: { id: responseId, status: 'in_progress' } });
    actions.forEach((action, output_index) => {
      if (action.type === 'say') {
        this.#say(action.text);
        return;
      }
      const call = {
        id: newId('fc'),
        type: 'function_call',
        status: 'completed',
        call_id: newId('call'),
        name: action.type === 'tool' ? action.name : 'hang_up',
        arguments: JSON.stringify(action.type === 'tool' ? action.arguments : { reason: action.reason }),
      };
      this.#calls.set(call.call_id, call.name);
      tell({ type: 'response.output_item.done', output_index, item: call });
    });
    const usage = {
      input_tokens: 400,
      input_tokens_details: { cached_tokens: 300 },
      output_tokens: 10 * actions.length,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 400 + 10 * actions.length,
    };
    tell({ type: 'response.completed', response: { id: responseId, status: 'completed', usage } });
    this.#talk?.listener.expect(this.#dialog.expecting);
  }

  #end(): void {
    const { session } = this.#connection;
    if (session === null) return;
    const usage = { seconds: this.#seconds };
    this.#connection.send({ type: 'session.closed', reason: 'close_requested', session, usage });
    this.close();
    this.#connection.socket.close(1000);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

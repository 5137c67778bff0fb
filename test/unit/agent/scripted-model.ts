/** A voice model that does what a test tells it, and notes what it is told. */
import { newId } from '../../../src/base/ids.ts';
import type {
  ConnectOptions,
  SessionEvents,
  VoiceModel,
  VoiceSession,
} from '../../../src/agent/voice-model.ts';

export class ScriptedModel implements VoiceModel {
  readonly name = 'scripted';
  /** What the voice told the session, in order: "greet", "interrupt reply-1 220", ... */
  readonly told: string[] = [];
  heardFrames = 0;
  gapsMs = 0;
  /** Set: the session can be told to ignore an utterance. */
  ignores = false;
  /** What the voice told of its own words: heard from now on, or no more. */
  readonly agentSpoke: boolean[] = [];
  /** Set: `connect` fails with it. */
  failure: Error | null = null;
  /** Set: `connect` does not answer before `connected` is called. */
  mute = false;
  /** Every connection that was asked for. */
  readonly calls: ConnectOptions[] = [];
  #call: ConnectOptions | null = null;
  #connect: () => void = () => undefined;

  connect(call: ConnectOptions): Promise<VoiceSession> {
    this.calls.push(call);
    if (this.mute) {
      return new Promise((resolve) => {
        this.#connect = () => resolve(this.#session(call));
      });
    }
    if (this.failure) return Promise.reject(this.failure);
    return Promise.resolve(this.#session(call));
  }

  /** The session that was waited for is there. */
  connected(): void {
    this.#connect();
  }

  #session(call: ConnectOptions): VoiceSession {
    this.#call = call;
    const note = (what: string): void => void this.told.push(what);
    return {
      hear: (_bytes, gapMs) => {
        this.heardFrames += 1;
        this.gapsMs += gapMs;
      },
      callerSpeaking: (speaking) => note(speaking ? 'caller starts' : 'caller stops'),
      greet: () => note('greet'),
      interrupt: (itemId, heardMs) => note(`interrupt ${itemId} ${heardMs}`),
      toolResult: (callId, result) => note(`result ${callId} ${JSON.stringify(result)}`),
      say: (text, options) => note(`say ${text}${options?.uninterruptible === true ? ' (to the end)' : ''}`),
      agentSpeaking: (speaking) => void this.agentSpoke.push(speaking),
      resume: () => note('resume'),
      notice: (text) => note(`notice ${text}`),
      ...(this.ignores ? { ignore: (utteranceId: string) => note(`ignore ${utteranceId}`) } : {}),
      digit: (digit) => note(`digit ${digit}`),
      close: () => note('close'),
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  tell<K extends keyof SessionEvents>(name: K, payload: SessionEvents[K]): void {
    this.#call?.on(name, payload);
  }

  /** A whole reply of so many ms, at once. */
  reply(options: {
    ms: number;
    itemId?: string;
    text?: string;
    done?: boolean;
    uninterruptible?: boolean;
  }): string {
    const { itemId = newId('reply'), uninterruptible = false } = options;
    this.tell('replyStarted', { itemId, uninterruptible });
    this.tell('said', { itemId, text: options.text ?? 'Some words.', final: true });
    this.tell('audio', { itemId, bytes: new Uint8Array(options.ms * 8).fill(0x10) });
    if (options.done ?? true) this.tell('replyDone', { itemId, interrupted: false });
    return itemId;
  }
}

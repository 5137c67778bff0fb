/** One call of the offline voice: the caller's utterances go to the recogniser, its words to the dialog. */
import { TrunklineError, messageOf } from '../../../base/errors.ts';
import { newId } from '../../../base/ids.ts';
import { FRAME_MS, FRAME_SAMPLES } from '../../../media/frame.ts';
import { G711 } from '../../../media/g711.ts';
import { HANG_UP, type ConnectOptions, type VoiceSession } from '../../voice-model.ts';
import { Dialog, type DialogAction } from './dialog.ts';
import type { Ear } from './recogniser.ts';
import type { Synthesiser } from './synthesiser.ts';

/** Sound kept from before speech was noticed, beyond the time it takes to notice it, in ms. */
const LEAD_MS = 300;
/** Longest gap that is filled with silence before the recogniser, in ms. */
const GAP_MS_MAX = 200;
/** Shorter sounds that are no words are a cough, and get no answer. */
const COUGH_MS_MAX = 260;
/** Replies that may wait to be spoken. */
const REPLIES_MAX = 32;

/**
 * Sentences of a text: each is spoken by itself, so that the first sounds early. A full stop ends one only
 * before a new one: "8.30 a.m. on Mondays" stays whole.
 */
export function sentencesIn(text: string): string[] {
  const sentences = text.split(/(?<=[!?]|\.\.)\s+|(?<=\.)\s+(?![a-z])/);
  return sentences.map((sentence) => sentence.trim()).filter((sentence) => /[a-z0-9]/i.test(sentence));
}

export class OfflineSession implements VoiceSession {
  readonly #call: ConnectOptions;
  readonly #ear: Ear;
  readonly #synthesiser: Synthesiser;
  readonly #dialog: Dialog;
  /** The last frames before the caller was noticed: a ring of whole frames. */
  readonly #lead: Uint8Array[];
  readonly #silence: Uint8Array;
  #leadNext = 0;
  #leadFrames = 0;
  #listening = false;
  #utteranceMs = 0;
  /** Everything said or done goes through here, one after the other. */
  #queue: Promise<void> = Promise.resolve();
  #waiting = 0;
  #sounding: string | null = null;
  #hangUpCall: string | null = null;
  #ignored: string | null = null;
  /** The tool that the dialog waits for; what another answers comes too late. */
  #toolCall: string | null = null;
  #closed = false;

  constructor(options: { call: ConnectOptions; ear: Ear; synthesiser: Synthesiser }) {
    const { profile, now, codec } = options.call;
    this.#call = options.call;
    this.#ear = options.ear;
    this.#synthesiser = options.synthesiser;
    this.#dialog = new Dialog({ profile, now });
    const frames = Math.ceil((LEAD_MS + profile.turns.barge_in_ms) / FRAME_MS);
    this.#lead = Array.from({ length: frames }, () => new Uint8Array(FRAME_SAMPLES));
    this.#silence = new Uint8Array((GAP_MS_MAX / FRAME_MS) * FRAME_SAMPLES).fill(G711[codec].silence);
  }

  hear(bytes: Uint8Array, gapMs: number): void {
    if (this.#listening) {
      if (gapMs > 0) this.#ear.hear(this.#silence.subarray(0, Math.min(gapMs, GAP_MS_MAX) * 8));
      this.#ear.hear(bytes);
      this.#utteranceMs += FRAME_MS;
      return;
    }
    this.#lead[this.#leadNext]?.set(bytes.subarray(0, FRAME_SAMPLES));
    this.#leadNext = (this.#leadNext + 1) % this.#lead.length;
    this.#leadFrames = Math.min(this.#leadFrames + 1, this.#lead.length);
  }

  callerSpeaking(speaking: boolean): void {
    if (speaking === this.#listening || this.#closed) return;
    this.#listening = speaking;
    if (speaking) this.#beginUtterance();
    else this.#endUtterance();
  }

  #beginUtterance(): void {
    this.#ear.start();
    this.#utteranceMs = 0;
    for (let age = this.#leadFrames; age > 0; age -= 1) {
      const index = (this.#leadNext - age + this.#lead.length) % this.#lead.length;
      const frame = this.#lead[index];
      if (frame) this.#ear.hear(frame);
    }
    this.#leadFrames = 0;
  }

  #endUtterance(): void {
    const utteranceId = newId('utterance');
    const spokenMs = this.#utteranceMs - this.#call.profile.turns.end_of_speech_ms;
    const hearing = this.#ear.end();
    // Handled in its turn; a failure in between must not count as unhandled.
    hearing.catch(() => undefined);
    this.#enqueue(async () => {
      try {
        const { text } = await hearing;
        if (this.#closed) return;
        this.#call.on('heard', { utteranceId, text, final: true });
        if (this.#ignored === utteranceId) return;
        if (text !== '' || spokenMs > COUGH_MS_MAX) this.#act(this.#dialog.heard(text));
      } catch (failure) {
        this.#failed(failure);
        this.#act(this.#dialog.troubled());
      }
    });
  }

  #failed(failure: unknown): void {
    if (this.#closed) return;
    const code = failure instanceof TrunklineError ? failure.code : 'SPEECH_UNAVAILABLE';
    const detail = failure instanceof TrunklineError ? failure.detail : messageOf(failure);
    this.#call.on('failed', { code, detail, retryable: true });
  }

  #enqueue(work: () => Promise<void> | void): void {
    if (this.#waiting >= REPLIES_MAX) return;
    this.#waiting += 1;
    this.#queue = this.#queue
      .then(() => (this.#closed ? undefined : work()))
      .catch((failure: unknown) => this.#failed(failure))
      .finally(() => (this.#waiting -= 1));
  }

  #act(actions: readonly DialogAction[]): void {
    this.#ear.expect(this.#dialog.expecting);
    for (const action of actions) {
      switch (action.type) {
        case 'say':
          this.say(action.text, action);
          break;
        case 'tool':
          this.#callTool(action.name, action.arguments);
          break;
        case 'hang_up':
          this.#enqueue(() => {
            this.#hangUpCall = newId('tool');
            const { reason } = action;
            this.#call.on('toolCall', { callId: this.#hangUpCall, name: HANG_UP, arguments: { reason } });
          });
          break;
      }
    }
  }

  #callTool(name: string, given: Record<string, unknown>): void {
    const callId = newId('tool');
    this.#toolCall = callId;
    this.#enqueue(() => this.#call.on('toolCall', { callId, name, arguments: given }));
  }

  greet(): void {
    const { greeting, turns } = this.#call.profile;
    this.say(greeting, { uninterruptible: turns.greeting_uninterruptible });
  }

  say(text: string, options: { uninterruptible?: boolean } = {}): void {
    this.#enqueue(() => this.#speak(text, options.uninterruptible ?? false));
  }

  /** Of the conversation so far it understands what the caller said last. */
  resume(): void {
    const last = this.#call.history?.at(-1);
    this.#act(last?.from === 'caller' ? this.#dialog.heard(last.text) : this.#dialog.goOn());
  }

  /** The rules cannot read it; they ask again what they asked last. */
  notice(_text: string): void {
    this.#act(this.#dialog.goOn());
  }

  ignore(utteranceId: string): void {
    this.#ignored = utteranceId;
  }

  async #speak(text: string, uninterruptible: boolean): Promise<void> {
    const { codec, profile, on } = this.#call;
    const itemId = newId('reply');
    this.#sounding = itemId;
    on('replyStarted', { itemId, uninterruptible });
    on('said', { itemId, text, final: true });
    const phrases = sentencesIn(text).map((sentence) =>
      this.#synthesiser.speak({ text: sentence, voice: profile.model.voice, codec }),
    );
    // All are under way at once; one that fails after the reply was cut must not count as unhandled.
    for (const phrase of phrases) phrase.catch(() => undefined);
    try {
      for (const phrase of phrases) {
        const bytes = await phrase;
        if (this.#sounding !== itemId || this.#closed) return;
        // The cache keeps the phrase; the receiver owns what it gets.
        on('audio', { itemId, bytes: bytes.slice() });
      }
    } finally {
      if (!this.#closed) on('replyDone', { itemId, interrupted: this.#sounding !== itemId });
    }
  }

  /** The dialog keeps what was said: an interrupted question was asked, whatever was heard of it. */
  interrupt(itemId: string, _heardMs: number): void {
    if (this.#sounding === itemId) this.#sounding = null;
  }

  toolResult(callId: string, result: unknown): void {
    if (callId === this.#hangUpCall) {
      this.#hangUpCall = null;
      this.#dialog.resume();
      return;
    }
    if (callId !== this.#toolCall) return;
    this.#toolCall = null;
    this.#act(this.#dialog.toolResult(result));
  }

  digit(digit: string): void {
    this.#act(this.#dialog.digit(digit));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ear.close();
  }
}

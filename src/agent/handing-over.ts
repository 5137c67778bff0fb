/** A call whose models are all gone: the caller is told, and goes to a human, a number or the voicemail. */
import { join } from 'node:path';
import type { Codec } from '../media/frame.ts';
import type { Farewell } from './farewell.ts';
import type { HandOver } from './failover-settings.ts';
import type { VoiceEvent } from './voice-control.ts';
import { Voicemail } from './voicemail.ts';

export interface HandingOverOptions {
  readonly callId: string;
  readonly codec: Codec;
  /** Where messages are written; it exists. null: nowhere. */
  readonly folder: string | null;
  readonly farewell: Farewell;
  readonly say: (text: string) => void;
  readonly tone: () => void;
  readonly report: (event: VoiceEvent) => void;
  /** It cannot be done: on to the next fallback. */
  readonly refused: (detail: string) => void;
}

export class HandingOver {
  readonly #options: HandingOverOptions;
  /** Said, but not yet done: the caller hears the sentence first. */
  #next: HandOver | null = null;
  #asked: HandOver | null = null;
  #voicemail: Voicemail | null = null;

  constructor(options: HandingOverOptions) {
    this.#options = options;
  }

  /** The caller waits for somebody who was asked to take the call. */
  get waiting(): boolean {
    return this.#asked !== null;
  }

  /** The caller leaves a message, and nobody else listens. */
  get recording(): boolean {
    return this.#voicemail !== null;
  }

  begin(to: HandOver): void {
    if (to.type === 'voicemail' && this.#options.folder === null) {
      this.#options.refused('no folder for messages');
      return;
    }
    this.#next = to;
    this.#options.say(to.say);
    if (to.type === 'voicemail') this.#options.tone();
  }

  /** Everything that was to be said has been said. */
  spoken(): void {
    const to = this.#next;
    if (to === null) return;
    this.#next = null;
    if (to.type === 'voicemail') {
      this.#record(to);
      return;
    }
    this.#asked = to;
    this.#options.report({ type: 'hand_over', to });
  }

  /** Nobody took the call. */
  failed(): boolean {
    const asked = this.#asked;
    this.#asked = null;
    return asked !== null;
  }

  hear(bytes: Uint8Array, gapMs: number): void {
    this.#voicemail?.hear(bytes, gapMs);
  }

  /** Once per 20 ms. */
  tick(voiced: boolean): void {
    if (this.#voicemail?.tick(voiced) !== true) return;
    const { thanks } = this.#voicemail.settings;
    this.#end();
    this.#options.say(thanks);
    this.#options.farewell.afterGoodbye('voicemail');
  }

  /** The call is over; what was recorded so far is a message. */
  close(): void {
    this.#end();
  }

  #record(settings: Extract<HandOver, { type: 'voicemail' }>): void {
    const { callId, codec, folder, report, refused } = this.#options;
    if (folder === null) return;
    this.#voicemail = new Voicemail({
      ...{ codec, settings, path: join(folder, `${callId}.wav`) },
      failed: ({ code, detail }) => {
        report({ type: 'failed', code, detail, retryable: true });
        if (this.#voicemail === null) return;
        this.#voicemail = null;
        refused(detail);
      },
    });
  }

  #end(): void {
    const voicemail = this.#voicemail;
    this.#voicemail = null;
    if (voicemail === null) return;
    voicemail.end();
    this.#options.report({ type: 'voicemail', path: voicemail.path, recordedMs: voicemail.recordedMs });
  }
}

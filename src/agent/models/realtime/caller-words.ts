/** What the caller said in words, as the server writes it down: some time after it was said, or never. */
import type { Log } from '../../../base/log.ts';
import type { ModelUsage } from '../../usage.ts';
import type { SessionEvents } from '../../voice-model.ts';
import { text_chars_max } from '../limits.ts';
import { transcriptionUsage } from '../openai-usage.ts';
import type { CallerTurns } from './caller-turns.ts';
import { Transcripts } from './replies.ts';
import type { ServerEventOf } from './server-events.ts';

const type = 'conversation.item.input_audio_transcription';
export type TranscriptionEvent = ServerEventOf<
  `${typeof type}.delta` | `${typeof type}.completed` | `${typeof type}.failed`
>;

/** There are no words in it. All other failures are the server's. */
const UNINTELLIGIBLE = 'audio_unintelligible';

export interface CallerWordsOptions {
  readonly turns: CallerTurns;
  readonly heard: (heard: SessionEvents['heard']) => void;
  readonly used: (usage: ModelUsage) => void;
  /** Who is paid for it. */
  readonly model: string;
  readonly log: Log | undefined;
}

export class CallerWords {
  readonly #options: CallerWordsOptions;
  readonly #texts = new Transcripts();

  constructor(options: CallerWordsOptions) {
    this.#options = options;
  }

  take(event: TranscriptionEvent): void {
    switch (event.type) {
      case `${type}.delta`:
        this.#tell(event.item_id, this.#texts.grow(event.item_id, event.delta), false);
        return;
      case `${type}.completed`:
        this.#tell(event.item_id, event.transcript.slice(0, text_chars_max), true);
        if (event.usage !== undefined)
          this.#options.used(transcriptionUsage(this.#options.model, event.usage));
        return;
      case `${type}.failed`:
        this.#failed(event);
    }
  }

  #failed({ item_id: itemId, error }: ServerEventOf<`${typeof type}.failed`>): void {
    this.#options.log?.info({ code: error.code }, 'an utterance was not written down');
    // A reply may wait for the words. Without this it waits until the voice's patience ends.
    if (error.code === UNINTELLIGIBLE && this.#options.turns.isUndecided(itemId))
      this.#tell(itemId, '', true);
    else this.#texts.finish(itemId);
  }

  #tell(utteranceId: string, text: string, final: boolean): void {
    const { turns, heard } = this.#options;
    if (final) this.#texts.finish(utteranceId);
    if (turns.isNoise(utteranceId)) return;
    heard({ utteranceId, text, final, ...(turns.isEarlier(utteranceId) ? { earlier: true } : {}) });
    if (final) turns.heard(utteranceId);
  }
}

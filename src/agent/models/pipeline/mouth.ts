/**
 * The agent's replies, sentence by sentence to the synthesiser and strictly in order to the voice: the next
 * sentence is synthesised while the one before it sounds.
 */
import type { Codec } from '../../../media/frame.ts';
import type { SessionEvents } from '../../voice-model.ts';
import { Cancelled, stageError, type StageError } from './failure.ts';
import { sentences_ahead_max } from './limits.ts';
import type { Phrases } from './phrases.ts';
import type { Speech, Spoken } from './speech.ts';
import { Sentence, SpokenReply } from './spoken-reply.ts';

export interface MouthOptions {
  readonly speech: Speech;
  readonly phrases: Phrases;
  /** Said in every call: synthesised once. */
  readonly fixed: ReadonlySet<string>;
  readonly voice: string;
  readonly codec: Codec;
  readonly on: <K extends keyof SessionEvents>(name: K, payload: SessionEvents[K]) => void;
  readonly onSpoken: (spoken: Spoken) => void;
  /** A sentence could not be said; the rest of its reply is not said either. */
  readonly onFailure: (reply: SpokenReply, failure: StageError) => void;
}

export class Mouth {
  readonly #options: MouthOptions;
  /** Those that are not through, in order. */
  readonly #replies: SpokenReply[] = [];
  /** Asked to be told when nothing is left to be said. */
  readonly #waiting: (() => void)[] = [];
  #speaking = 0;

  constructor(options: MouthOptions) {
    this.#options = options;
  }

  begin(options: { uninterruptible?: boolean } = {}): SpokenReply {
    const reply = new SpokenReply(options);
    this.#replies.push(reply);
    return reply;
  }

  add(reply: SpokenReply, text: string): void {
    if (reply.over || !reply.open) return;
    reply.sentences.push(new Sentence(text));
    this.#ask();
  }

  /** No more sentences come. */
  end(reply: SpokenReply): void {
    reply.open = false;
    this.#pass();
  }

  /** Nothing more of it is said, and requests for it are taken back. */
  cancel(reply: SpokenReply): void {
    if (reply.over) return;
    this.#finish(reply);
    for (const sentence of reply.sentences) sentence.abort.abort();
    if (reply.begun) this.#options.on('replyDone', { itemId: reply.itemId, interrupted: true });
    this.#ask();
    this.#pass();
    this.#tellQuiet();
  }

  /**
   * Calls `then` once all that was to be said so far has been passed on, or taken back; at once when it has.
   */
  whenQuiet(then: () => void): void {
    this.#waiting.push(then);
    this.#tellQuiet();
  }

  #tellQuiet(): void {
    if (this.#replies.length > 0) return;
    for (const then of this.#waiting.splice(0)) then();
  }

  /** The caller has taken the word: all that waits is out of date. */
  cancelAll(): void {
    for (const reply of [...this.#replies]) this.cancel(reply);
  }

  #finish(reply: SpokenReply): void {
    reply.over = true;
    reply.open = false;
    const index = this.#replies.indexOf(reply);
    if (index >= 0) this.#replies.splice(index, 1);
  }

  /** Asks for the sentences that come next. */
  #ask(): void {
    for (const reply of this.#replies)
      for (const sentence of reply.sentences) {
        if (this.#speaking >= sentences_ahead_max) return;
        if (sentence.state === 'waiting') this.#speak(reply, sentence);
      }
  }

  #speak(reply: SpokenReply, sentence: Sentence): void {
    const { speech, phrases, fixed, voice, codec } = this.#options;
    const phrase = { text: sentence.text, voice, codec };
    sentence.state = 'speaking';
    this.#speaking += 1;
    const inHand = (): void => {
      const bytes = phrases.get(phrase);
      if (bytes !== undefined && !reply.over) sentence.take(bytes.slice());
    };
    const speaking = fixed.has(sentence.text)
      ? phrases.prepare(phrase).then((spoken) => {
          inHand();
          return spoken;
        })
      : speech.speak({
          ...phrase,
          signal: sentence.abort.signal,
          onSound: (bytes) => {
            sentence.take(bytes);
            this.#pass();
          },
        });
    void speaking.then(
      (spoken) => this.#spoken(sentence, spoken),
      (thrown: unknown) => this.#failed(reply, sentence, thrown),
    );
  }

  #spoken(sentence: Sentence, spoken: Spoken | null): void {
    this.#speaking -= 1;
    sentence.state = 'spoken';
    if (spoken !== null) this.#options.onSpoken(spoken);
    this.#ask();
    this.#pass();
  }

  #failed(reply: SpokenReply, sentence: Sentence, thrown: unknown): void {
    this.#speaking -= 1;
    sentence.state = 'spoken';
    const told = !reply.over && !(thrown instanceof Cancelled);
    if (told) {
      // What sounds already may sound to its end.
      const index = reply.sentences.indexOf(sentence);
      for (const later of reply.sentences.splice(sentence.ms > 0 ? index + 1 : index)) later.abort.abort();
      reply.open = false;
    }
    this.#ask();
    this.#pass();
    if (told) this.#options.onFailure(reply, stageError('speech', 'the speech server', thrown));
  }

  /** Passes on what is due: of the first reply, up to its first sentence that is not all there. */
  #pass(): void {
    for (;;) {
      const reply = this.#replies[0];
      if (reply === undefined) return;
      for (const sentence of reply.sentences) {
        for (const bytes of sentence.chunks.splice(0)) this.#sound(reply, sentence, bytes);
        // Whoever was told may have cut it.
        if (reply.over) return;
        if (sentence.state !== 'spoken') return;
      }
      if (reply.open) return;
      this.#through(reply);
      this.#tellQuiet();
    }
  }

  #sound(reply: SpokenReply, sentence: Sentence, bytes: Uint8Array): void {
    if (bytes.length === 0 || reply.over) return;
    sentence.sounding = true;
    const { on } = this.#options;
    const { itemId } = reply;
    if (!reply.begun) {
      reply.begun = true;
      on('replyStarted', { itemId, uninterruptible: reply.uninterruptible });
    }
    on('said', { itemId, text: reply.soundingText, final: false });
    on('audio', { itemId, bytes });
  }

  #through(reply: SpokenReply): void {
    const { on } = this.#options;
    this.#finish(reply);
    if (!reply.begun) return;
    on('said', { itemId: reply.itemId, text: reply.soundingText, final: true });
    on('replyDone', { itemId: reply.itemId, interrupted: false });
  }
}

/** One reply on its way to the caller: its sentences, how long each sounds, and what of them was heard. */
import { newId } from '../../../base/ids.ts';
import { SAMPLE_RATE_HZ } from '../../../media/frame.ts';

const BYTES_PER_MS = SAMPLE_RATE_HZ / 1000;
/** How long a sentence is likely to sound, while it is still being synthesised. */
const MS_PER_CHAR = 60;
/** A sentence that is heard but for so much of its last sound was heard. */
const UNHEARD_MS_MAX = 150;

/** `waiting`: not asked for; `speaking`: sound may still come; `spoken`: it is all there. */
export type SentenceState = 'waiting' | 'speaking' | 'spoken';

export class Sentence {
  readonly text: string;
  readonly abort = new AbortController();
  state: SentenceState = 'waiting';
  /** Sound of it was passed on. */
  sounding = false;
  /** Sound that has not been passed on, because an earlier sentence is not through. */
  readonly chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(text: string) {
    this.text = text;
  }

  take(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    this.chunks.push(bytes);
  }

  /** Of the sound so far. */
  get ms(): number {
    return this.#bytes / BYTES_PER_MS;
  }

  /** Of the whole sentence: a guess, while it is not spoken. */
  get wholeMs(): number {
    return this.state === 'spoken' ? this.ms : Math.max(this.ms, this.text.length * MS_PER_CHAR);
  }
}

export class SpokenReply {
  readonly itemId = newId('reply');
  readonly sentences: Sentence[] = [];
  /** The caller cannot cut it short. */
  readonly uninterruptible: boolean;
  /** More sentences may come. */
  open = true;
  /** The voice knows of it. */
  begun = false;
  /** It is through, or was cut. */
  over = false;

  constructor(options: { uninterruptible?: boolean } = {}) {
    this.uninterruptible = options.uninterruptible ?? false;
  }

  get text(): string {
    return this.sentences.map((sentence) => sentence.text).join(' ');
  }

  /** Of the sentences that sound, or have. */
  get soundingText(): string {
    return this.sentences
      .filter((sentence) => sentence.sounding)
      .map((sentence) => sentence.text)
      .join(' ');
  }

  /**
   * The words that the first `heardMs` of its sound hold; one that was cut within a sentence ends with an
   * ellipsis.
   */
  heardText(heardMs: number): string {
    const heard: string[] = [];
    let leftMs = heardMs;
    for (const sentence of this.sentences) {
      if (leftMs <= 0) break;
      const wholeMs = sentence.wholeMs;
      if (leftMs >= wholeMs - UNHEARD_MS_MAX) heard.push(sentence.text);
      else {
        const words = wholeWords(sentence.text, Math.floor((sentence.text.length * leftMs) / wholeMs));
        if (words !== '') heard.push(`${words}…`);
      }
      leftMs -= wholeMs;
    }
    return heard.join(' ');
  }
}

function wholeWords(text: string, chars: number): string {
  if (/\s/.test(text.charAt(chars))) return text.slice(0, chars).trimEnd();
  return text.slice(0, Math.max(0, text.lastIndexOf(' ', chars))).trimEnd();
}

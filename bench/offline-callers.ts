/**
 * Many callers with voices in a process of their own. Started by the section `offline-calls`; answers the
 * order to talk with all that was said and heard.
 */
import { FRAME_MS } from '../src/media/frame.ts';
import { missingIn, type Heard } from './heard.ts';
import { talk, type Stage } from './offline-dialogue.ts';
import { offlineCallersSchema, type Dialogue, type OfflineCallers, type Talked } from './offline-messages.ts';
import { spreadOf } from './percentiles.ts';
import { SipClient } from './sip-client.ts';
import { pause } from './sound-call.ts';
import { SpeechBook } from './speech-book.ts';

/** Between two calls of one caller. */
const rest_ms = 500;

class Callers {
  readonly #options: OfflineCallers;
  readonly #stage: Stage;
  readonly #dialogues: Dialogue[] = [];
  readonly #jitterMs: number[] = [];
  readonly #lateMs: number[] = [];
  #packets = 0;
  #missing = 0;

  static async open(options: OfflineCallers): Promise<Callers> {
    const speech = SpeechBook.read(options.speechFile);
    return new Callers(options, { ...options, sip: await SipClient.open(options.sipPort), speech });
  }

  private constructor(options: OfflineCallers, stage: Stage) {
    this.#options = options;
    this.#stage = stage;
  }

  /** All dialogues, from the first call to the last goodbye. */
  async talk(): Promise<Talked> {
    const { calls, rampMs } = this.#options;
    const callers = Array.from({ length: calls }, async (_, caller) => {
      await pause((caller * rampMs) / calls);
      await this.#rounds(caller);
    });
    await Promise.all(callers);
    return {
      dialogues: this.#dialogues,
      jitterMs: spreadOf(this.#jitterMs),
      ownLateMs: spreadOf(this.#lateMs),
      ...{ packets: this.#packets, missing: this.#missing },
    };
  }

  async #rounds(caller: number): Promise<void> {
    const { calls, rounds } = this.#options;
    for (let round = 0; round < rounds; round += 1) {
      const wish = round * calls + caller;
      try {
        const { dialogue, call } = await talk(wish, this.#stage);
        this.#dialogues.push(dialogue);
        this.#keep(call.heard, call.lateMs);
      } catch (error) {
        this.#dialogues.push({ ...emptyDialogue, wish, trouble: String(error) });
      }
      await pause(rest_ms);
    }
  }

  #keep(heard: readonly Heard[], lateMs: readonly number[]): void {
    this.#packets += heard.length;
    this.#missing += missingIn(heard);
    for (const late of lateMs) this.#lateMs.push(late);
    for (const [at, { atMs, sequence }] of heard.entries()) {
      const before = heard[at - 1];
      if (before === undefined) continue;
      const step = (sequence - before.sequence) & 0xffff;
      this.#jitterMs.push(Math.abs(atMs - before.atMs - step * FRAME_MS));
    }
  }

  close(): void {
    this.#stage.sip.close();
  }
}

const emptyDialogue: Omit<Dialogue, 'wish' | 'trouble'> = {
  ...{ said: [], heard: [], corrections: 0, responseMs: [], booked: null, lastedMs: 0 },
};

const callers = await Callers.open(offlineCallersSchema.parse(JSON.parse(process.argv[2] ?? '{}')));
process.on('message', () => void callers.talk().then((talked) => process.send?.(talked)));
process.on('disconnect', () => callers.close());
console.log('ready to call');

/** The voice's line to its model: a session that is opened in the background, and may come late or never. */
import { messageOf, TrunklineError } from '../base/errors.ts';
import type { ConnectOptions, VoiceModel, VoiceSession } from './voice-model.ts';

export interface ModelLineEvents {
  /** A session is there and can be talked to. */
  up(session: VoiceSession): void;
  /** There is none, and there will be none. */
  down(code: string, detail: string): void;
}

export class ModelLine {
  readonly #on: ModelLineEvents;
  #session: VoiceSession | null = null;
  #closed = false;

  constructor(options: { model: VoiceModel; call: ConnectOptions; on: ModelLineEvents }) {
    this.#on = options.on;
    void this.#connect(options.model, options.call);
  }

  /** null while there is none. */
  get session(): VoiceSession | null {
    return this.#session;
  }

  async #connect(model: VoiceModel, call: ConnectOptions): Promise<void> {
    try {
      const session = await model.connect(call);
      if (this.#closed) {
        session.close();
        return;
      }
      this.#session = session;
      this.#on.up(session);
    } catch (failure) {
      if (this.#closed) return;
      const code = failure instanceof TrunklineError ? failure.code : 'MODEL_UNAVAILABLE';
      this.#on.down(code, failure instanceof TrunklineError ? failure.detail : messageOf(failure));
    }
  }

  close(): void {
    this.#closed = true;
    this.#session?.close();
    this.#session = null;
  }
}

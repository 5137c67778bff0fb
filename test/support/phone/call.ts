/** One call of the test phone: what a person with a handset can do, and everything that was heard. */
import { setTimeout as after } from 'node:timers/promises';
import type { Codec } from '../../../src/media/frame.ts';
import { resample } from '../sound/resample.ts';
import { TELEPHONE_HZ } from '../sound/speak.ts';
import { readWav } from '../sound/wav.ts';
import { Ear } from './ear.ts';
import { soundOf, type Address, type PressOptions, type RtpEndpoint } from './rtp-endpoint.ts';
import type { RtpRecord } from './rtp-record.ts';
import { readAnswer, writeOffer, type Direction } from './sdp.ts';
import type { PhoneDialog } from './sip-stack.ts';
import { Tape } from './tape.ts';

export type EndedBy = 'phone' | 'gateway';

export interface Ended {
  readonly by: EndedBy;
  /** The Reason header of the far end's BYE, or empty. */
  readonly reason: string;
}

export interface Silence {
  /** What came first. */
  readonly outcome: 'silent' | 'ended' | 'timeout';
}

export class PhoneCall {
  readonly codec: Codec;
  /** When the far end answered, on this process's monotonic clock, in ms. */
  readonly answeredMs: number;
  /** Settles when the call is over, whoever ended it. */
  readonly ended: Promise<Ended>;
  readonly ear = new Ear();
  readonly rtp: RtpEndpoint;
  readonly #dialog: PhoneDialog;
  readonly #tape = new Tape();
  #end: (ended: Ended) => void = () => undefined;
  #over = false;
  #sdpVersion = 1;
  #answerSdp: string;

  constructor(dialog: PhoneDialog, rtp: RtpEndpoint, codec: Codec) {
    this.codec = codec;
    this.rtp = rtp;
    this.#dialog = dialog;
    this.#answerSdp = dialog.remote.sdp;
    this.answeredMs = performance.now();
    this.ended = new Promise((resolve) => (this.#end = resolve));
    dialog.on('destroy', (bye: { get(name: string): string | undefined }) =>
      this.#finish({ by: 'gateway', reason: bye.get('Reason') ?? '' }),
    );
    const startedMs = this.answeredMs - rtp.openedMs;
    rtp.onSent = (samples) => this.#tape.spoke(samples);
    rtp.onPacket = (packet) => {
      const samples = soundOf(packet, codec);
      this.ear.take(samples);
      if (samples.length > 0) this.#tape.heard(samples, Math.max(0, packet.arrivalMs - startedMs));
    };
    rtp.sendTo(this.answer);
    // The far end may hang up before anyone could listen (a BYE right behind the 200).
    if (!dialog.connected) this.#finish({ by: 'gateway', reason: '' });
  }

  get sipCallId(): string {
    return this.#dialog.sip.callId;
  }

  /** Every packet that arrived. */
  get received(): RtpRecord {
    return this.rtp.received;
  }

  /** The far end's latest session description. */
  get answerSdp(): string {
    return this.#answerSdp;
  }

  /** Where the far end wants its sound, and which way sound goes (its view). */
  get answer(): Address & { readonly direction: Direction; readonly payloadTypes: number[] } {
    return readAnswer(this.#answerSdp);
  }

  get over(): boolean {
    return this.#over;
  }

  /** What each side has said so far, 8 kHz. */
  get tape(): { readonly spoke: Int16Array; readonly heard: Int16Array } {
    return this.#tape.channels;
  }

  /** Resolves when the last of it has left. What the far end says from then on counts as its reply. */
  async play(samples: Int16Array): Promise<void> {
    await this.rtp.play(samples);
    this.ear.listenAnew();
  }

  async playFile(path: string): Promise<void> {
    const { channels, sampleRateHz } = await readWav(path);
    await this.play(resample(channels[0] ?? new Int16Array(0), sampleRateHz, TELEPHONE_HZ));
  }

  /** Presses keys; resolves when the last one was released. */
  async dtmf(digits: string, options?: PressOptions): Promise<void> {
    await this.rtp.press(digits, options);
  }

  /** Puts the far end on hold (RFC 3264 §8.4). Resolves with its answer. */
  async hold(): Promise<string> {
    return this.#offer('sendonly');
  }

  async resume(): Promise<string> {
    return this.#offer('sendrecv');
  }

  /** Moves the sound to a new port and tells the far end by re-INVITE. */
  async moveToNewPort(): Promise<string> {
    await this.rtp.moveToNewPort();
    return this.#offer('sendrecv');
  }

  /** A key press by SIP INFO (application/dtmf-relay). Resolves with the status of the answer. */
  async info(digit: string, durationMs = 160): Promise<number> {
    const response = await this.#dialog.request({
      method: 'INFO',
      headers: { 'Content-Type': 'application/dtmf-relay' },
      body: `Signal=${digit}\r\nDuration=${durationMs}\r\n`,
    });
    return response.status;
  }

  /** Waits until the far end has spoken and then been silent for `ms`, or call or patience are over. */
  async agentSilenceFor(ms: number, options: { timeoutMs?: number } = {}): Promise<Silence> {
    const patience = new AbortController();
    const timeout = after(options.timeoutMs ?? 30_000, 'timeout' as const, { signal: patience.signal });
    try {
      const outcome = await Promise.race([
        this.ear.silenceAfterSpeech(ms).then(() => 'silent' as const),
        this.ended.then(() => 'ended' as const),
        timeout,
      ]);
      return { outcome };
    } finally {
      timeout.catch(() => undefined);
      patience.abort();
    }
  }

  /** Idempotent: a call that is over stays as it ended. */
  async hangUp(): Promise<Ended> {
    if (!this.#over) {
      this.#finish({ by: 'phone', reason: '' });
      await this.#dialog.destroy();
    }
    return this.ended;
  }

  /** WAV, 8 kHz: left what the phone spoke, right what it heard. */
  async saveStereo(path: string): Promise<void> {
    await this.#tape.save(path);
  }

  async #offer(direction: Direction): Promise<string> {
    this.#sdpVersion += 1;
    const offer = writeOffer({
      port: this.rtp.port,
      codecs: [this.codec],
      direction,
      version: this.#sdpVersion,
    });
    this.#answerSdp = await this.#dialog.modify(offer);
    this.rtp.sendTo(this.answer);
    return this.#answerSdp;
  }

  #finish(ended: Ended): void {
    if (this.#over) return;
    this.#over = true;
    this.rtp.close();
    this.#end(ended);
  }
}

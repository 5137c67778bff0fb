/** One phone leg: a SIP dialog with its media, from the first offer to the last statistics. */
import type { Clock } from '../base/clock.ts';
import { TrunklineError, messageOf } from '../base/errors.ts';
import { Events } from '../base/events.ts';
import type { Log } from '../base/log.ts';
import type { LegStats } from '../media/control.ts';
import type { Codec } from '../media/frame.ts';
import { OfferAnswer, type Settlement } from '../media/offer-answer.ts';
import type { MediaThreadHandle } from '../media/thread-handle.ts';
import type { TransferOutcome } from '../room/call-control.ts';
import { CAPABILITY_HEADERS } from './capabilities.ts';
import { DigitMerger, digitInInfo, type DigitPath, type KeyPress } from './info-digits.ts';
import { refuseOffer } from './pipeline.ts';
import { sessionTimerHeaders } from './session-timer.ts';
import type { TrunkConfig } from './settings.ts';
import type { SipDialog, SipDialogEvents } from './sip-dialog.ts';
import type { SipRequest } from './sip-request.ts';
import { Transfer } from './transfer.ts';

export interface PhoneLegEvents {
  digit: KeyPress & { path: DigitPath };
  /** The caller hears us for sure: an ACK or a first RTP packet came. May be told more than once. */
  reached: null;
  held: null;
  resumed: null;
  /** No RTP while sound was expected. */
  silent: { silentMs: number };
  /** The far end says that the caller talks to somebody else now. */
  transferred: null;
  /** The dialog is over without our doing. */
  ended: SipDialogEvents['ended'];
  /** The sound path, or the offer/answer of a late offer, failed for good. */
  failed: { error: TrunklineError };
}

export interface PhoneLegOptions {
  readonly legId: string;
  readonly thread: MediaThreadHandle;
  readonly trunk: TrunkConfig;
  /** What goes into our descriptions; empty: the address of the RTP socket. */
  readonly mediaAddress: string;
  readonly sessionExpiresS: number;
  readonly log: Log;
  readonly clock: Clock;
}

export class PhoneLeg {
  readonly legId: string;
  readonly events = new Events<PhoneLegEvents>();
  readonly #options: PhoneLegOptions;
  readonly #offerAnswer: OfferAnswer;
  readonly #digits: DigitMerger;
  #dialog: SipDialog | undefined;
  #transfer: Transfer | undefined;
  #offeredIn: number | undefined;
  #held = false;
  #codec: Codec | undefined;
  #closing: Promise<LegStats | undefined> | undefined;

  private constructor(options: PhoneLegOptions, offerAnswer: OfferAnswer) {
    this.legId = options.legId;
    this.#options = options;
    this.#offerAnswer = offerAnswer;
    this.#digits = new DigitMerger(options.clock);
    const sound = options.thread.legEvents(options.legId);
    sound.on('digit', (press) => this.#pressed('rtp', press));
    sound.on('latched', () => this.events.emit('reached', null));
    sound.on('silent', (silence) => this.events.emit('silent', silence));
  }

  /**
   * Opens the RTP sockets.
   * @throws TrunklineError RTP_PORTS_EXHAUSTED, MEDIA_THREAD_DIED
   */
  static async open(options: PhoneLegOptions): Promise<PhoneLeg> {
    const { legId, thread, trunk, mediaAddress } = options;
    const { address, rtpPort, rtcpPort } = await thread.request({
      type: 'leg.open',
      legId,
      policy: {
        learnSource: trunk.media.learn_source,
        learnWindowMs: trunk.media.learn_window_ms,
        relatchAfterSilence: trunk.media.relatch_after_silence,
        rtpTimeoutMs: trunk.media.rtp_timeout_ms,
      },
    });
    const local = { address: mediaAddress === '' ? address : mediaAddress, rtpPort, rtcpPort };
    return new PhoneLeg(options, new OfferAnswer(local, trunk.codecs));
  }

  get held(): boolean {
    return this.#held;
  }

  /** The codec in use; undefined before the first exchange is complete. */
  get codec(): Codec | undefined {
    return this.#codec;
  }

  /**
   * Our description for the 200: the answer to the INVITE's offer, or an offer of ours when it had none.
   * Nothing is sent to the caller yet.
   * @throws TrunklineError when the offer cannot be taken or the media thread fails
   */
  async describe(invite: SipRequest): Promise<string> {
    if (invite.sdp.trim() === '') return this.#offer(invite);
    const { sdp, settlement } = this.#offerAnswer.answer(invite.sdp);
    this.#note(settlement);
    await this.#send(settlement, false);
    return sdp;
  }

  /**
   * The INVITE was answered: from here on sound may go to the caller, and the dialog's requests are
   * answered.
   */
  attach(dialog: SipDialog): void {
    this.#dialog = dialog;
    dialog.events.on('acknowledged', (ack) => this.#acknowledged(ack));
    dialog.events.on('renegotiate', (request) => this.#renegotiate(request));
    dialog.events.on('info', (request) => this.#info(request));
    const transfer = (this.#transfer = new Transfer({
      ask: (method, headers) => dialog.ask(method, headers),
      transferred: () => this.events.emit('transferred', null),
      ...{ clock: this.#options.clock, log: this.#options.log },
    }));
    dialog.events.on('request', (request) => {
      if (request.method === 'NOTIFY') transfer.notified(request);
      else request.respond(405, { headers: CAPABILITY_HEADERS });
    });
    dialog.events.on('ended', (end) => {
      transfer.close();
      this.events.emit('ended', end);
    });
    const { settlement } = this.#offerAnswer;
    if (settlement !== undefined) this.#apply(settlement);
  }

  /** Asks the far end to call somebody else in our place (REFER). Never rejects. */
  transfer(uris: { referTo: string; referredBy: string }, timeoutMs: number): Promise<TransferOutcome> {
    const { dialog } = this;
    if (this.#transfer === undefined || dialog?.connected !== true || this.#closing !== undefined)
      return Promise.resolve({ outcome: 'ended' });
    return this.#transfer.run(uris, timeoutMs);
  }

  get dialog(): SipDialog | undefined {
    return this.#dialog;
  }

  /**
   * Closes the sound, not the dialog. Resolves with the last statistics, if the thread still had any.
   * Idempotent.
   */
  close(): Promise<LegStats | undefined> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<LegStats | undefined> {
    this.events.removeAll();
    this.#transfer?.close();
    try {
      return await this.#options.thread.request({ type: 'leg.close', legId: this.legId });
    } catch (error) {
      this.#options.log.warn(
        { legId: this.legId, detail: messageOf(error) },
        'leg closed without statistics',
      );
      return undefined;
    }
  }

  #offer(invite: SipRequest): string {
    this.#offeredIn = invite.sequence;
    return this.#offerAnswer.offer();
  }

  #acknowledged({ sdp, sequence }: SipDialogEvents['acknowledged']): void {
    this.events.emit('reached', null);
    // The library hands an ACK on later than an INVITE that follows it: another's ACK is no answer to our
    // offer.
    if (!this.#offerAnswer.offerOpen || sequence !== this.#offeredIn) return;
    try {
      if (sdp.trim() === '') throw new TrunklineError('SDP_UNPARSABLE', 'the ACK answers no offer');
      this.#apply(this.#offerAnswer.accept(sdp));
    } catch (error) {
      this.#offerAnswer.withdraw();
      // A later offer that fails leaves the call as it was; without the first answer there is no call.
      if (this.#offerAnswer.settlement === undefined) this.#fail(error);
      else this.#options.log.warn({ detail: messageOf(error) }, 'the answer in an ACK was dropped');
    }
  }

  /** A re-INVITE or UPDATE: a new offer, a wish for ours, or just a sign of life. */
  #renegotiate(request: SipRequest): void {
    if (this.#closing !== undefined) {
      request.respond(481);
      return;
    }
    const headers = {
      ...CAPABILITY_HEADERS,
      ...sessionTimerHeaders(request, this.#options.sessionExpiresS),
    };
    const offer = request.sdp;
    const isRefresh = request.method === 'UPDATE' && offer.trim() === '';
    if (isRefresh) {
      request.respond(200, { headers });
      return;
    }
    // RFC 3261 §14.2, RFC 3311 §5.2: our own offer waits for its answer.
    if (this.#offerAnswer.offerOpen) {
      request.respond(491);
      return;
    }
    if (offer.trim() === '') {
      request.respond(200, { headers, body: this.#offer(request) });
      return;
    }
    try {
      const { sdp, settlement } = this.#offerAnswer.answer(offer);
      request.respond(200, { headers, body: sdp });
      this.#apply(settlement);
    } catch (error) {
      const { status, headers: reasons, ending } = refuseOffer(error);
      this.#options.log.warn({ status, detail: ending?.detail }, 'a new offer was refused, the call goes on');
      request.respond(status, { headers: { ...reasons } });
    }
  }

  /** Lets the sound follow what was settled, and tells what changed. */
  #apply(settlement: Settlement): void {
    this.#send(settlement, true).catch((error: unknown) => this.#fail(error));
    const wasHeld = this.#held;
    this.#note(settlement);
    if (wasHeld !== settlement.held) this.events.emit(settlement.held ? 'held' : 'resumed', null);
  }

  #note({ held, codec }: Settlement): void {
    this.#held = held;
    this.#codec = codec;
  }

  async #send(settlement: Settlement, sending: boolean): Promise<void> {
    const settings = { ...settlement, sending };
    await this.#options.thread.request({ type: 'leg.settle', legId: this.legId, settings });
  }

  #info(request: SipRequest): void {
    if (request.body === '') {
      request.respond(200);
      return;
    }
    const press = digitInInfo(request.contentType, request.body);
    if (press === undefined) {
      const known = request.contentType.startsWith('application/dtmf');
      request.respond(known ? 400 : 415, { headers: { Accept: 'application/dtmf-relay' } });
      return;
    }
    request.respond(200);
    if (press !== 'nothing') this.#pressed('info', press);
  }

  #pressed(path: DigitPath, press: KeyPress): void {
    if (this.#digits.isNew(path, press.digit)) this.events.emit('digit', { ...press, path });
  }

  #fail(thrown: unknown): void {
    if (this.#closing !== undefined) return;
    const error =
      thrown instanceof TrunklineError
        ? thrown
        : new TrunklineError('MEDIA_FAILED', messageOf(thrown), { cause: thrown });
    this.events.emit('failed', { error });
  }
}

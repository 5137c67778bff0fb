/**
 * A visitor's call from a web page: microphone, signalling and sound, kept together through loss and return.
 * Knows nothing of buttons; `<trunkline-call>` is one face for it, a site may build its own.
 */
import { RESUME_WITHIN_MS, type Ask } from '../../src/web/wire.ts';
import { endingOf, LOCAL_ENDING, type CallEnding } from './call-ending.ts';
import { CALL_STATE, isOpen, nextState, type CallEvent, type CallState } from './call-state.ts';
import type { ClientEvents } from './client-events.ts';
import { Emitter } from './emitter.ts';
import { browserMicrophones, type Microphone, type Microphones } from './microphone.ts';
import { OpenCall, type CallControl, type Credentials, type OpenCallParts } from './open-call.ts';
import { Signalling } from './signalling.ts';
import { WebRtcMedia, type CallMedia } from './webrtc-media.ts';

export interface ClientOptions {
  /** Origin of the gateway: `https://calls.example.org`. */
  readonly server: string;
  /** Asked for every call anew, because tokens do not live long. */
  readonly credentials: () => Credentials | Promise<Credentials>;
  readonly microphones?: Microphones;
  readonly media?: (signalling: Signalling) => CallMedia;
  /** How long a call waits to begin, or to come back when it was lost; the gateway waits no longer either. */
  readonly patienceMs?: number;
}

export class TrunklineClient {
  readonly events = new Emitter<ClientEvents>();
  readonly #options: ClientOptions;
  readonly #microphones: Microphones;
  #state: CallState = CALL_STATE.idle;
  #call: OpenCall | undefined;
  #microphone: Microphone | undefined;
  #chosenId: string | undefined;
  #muted = false;
  #stopWatching: (() => void) | undefined;
  /** Counts calls, so that what an earlier one still awaits cannot disturb the next. */
  #calls = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#microphones = options.microphones ?? browserMicrophones;
  }

  get state(): CallState {
    return this.#state;
  }

  get muted(): boolean {
    return this.#muted;
  }

  /** Begins a call. Never rejects: how it went is told by `state`. Nothing happens while a call is on. */
  call(): Promise<void> {
    return this.#begin('call', () => this.#options.credentials());
  }

  /** Goes on with a call that another page gave up with `suspend`. Otherwise as `call`. */
  resume(resumeToken: string): Promise<void> {
    return this.#begin('resume', () => ({ resumeToken }));
  }

  /**
   * The page goes, perhaps to be loaded anew: gives the call up in a way that `resume` can take back, for
   * RELOAD_WITHIN_MS. What it needs for that; undefined when there is nothing to go on with.
   */
  suspend(): string | undefined {
    const token = this.#call?.resumeToken;
    if (token === undefined) {
      this.hangUp();
      return undefined;
    }
    this.#call?.close('page.gone');
    this.#end({ slug: LOCAL_ENDING.pageGone, text: '' });
    return token;
  }

  async #begin(
    event: 'call' | 'resume',
    entitle: () => OpenCallParts['credentials'] | Promise<OpenCallParts['credentials']>,
  ): Promise<void> {
    if (isOpen(this.#state)) return;
    const number = ++this.#calls;
    this.#move(event);
    try {
      const microphone = await this.#microphones.open(this.#chosenId);
      if (!this.#isCurrent(number)) {
        microphone.close();
        return;
      }
      this.#useMicrophone(microphone);
      if (event === 'call') this.#move('granted');
      const credentials = await entitle();
      if (this.#isCurrent(number)) this.#call = this.#connect(credentials, microphone);
    } catch (error) {
      if (this.#isCurrent(number)) this.#end(endingOf(error));
    }
  }

  /** Idempotent. */
  hangUp(): void {
    if (isOpen(this.#state)) this.#end({ slug: LOCAL_ENDING.hungUp, text: '' });
  }

  /** Silences the microphone, or opens it again. The track is silent before this returns. */
  mute(muted: boolean): void {
    this.#muted = muted;
    this.#call?.mute(muted);
    this.events.emit('muted', muted);
  }

  /** Speaks through another microphone from now on; the old one is kept when the new one cannot be had. */
  async chooseMicrophone(deviceId: string): Promise<void> {
    const previousId = this.#chosenId;
    this.#chosenId = deviceId;
    if (!isOpen(this.#state) || this.#microphone === undefined) return;
    const number = this.#calls;
    try {
      const microphone = await this.#microphones.open(deviceId);
      if (!this.#isCurrent(number)) {
        microphone.close();
        return;
      }
      this.#useMicrophone(microphone);
      await this.#call?.media.useMicrophone(microphone.track);
    } catch {
      this.#chosenId = previousId;
      await this.#tellMicrophones();
    }
  }

  /**
   * What a human agent or supervisor does with the call: `mode`, `hold`, `handBack`, `end`.
   * @throws GatewayRefusal, GatewayUnreachable; Error when no call is on
   */
  async control<N extends CallControl>(name: N, ask: Ask<N>): Promise<void> {
    if (this.#call === undefined) throw new Error('no call is on');
    await this.#call.control(name, ask);
  }

  /** 0 to 1, at this moment: for meters. */
  levels(): { readonly microphone: number; readonly others: number } {
    const microphone = this.#muted ? 0 : (this.#microphone?.level() ?? 0);
    return { microphone, others: this.#call?.media.level() ?? 0 };
  }

  /** To be called from a click, after `playbackBlocked`. */
  async unblockPlayback(): Promise<void> {
    await this.#call?.media.unblockPlayback();
  }

  #connect(credentials: OpenCallParts['credentials'], microphone: Microphone): OpenCall {
    const { server, media = webRtcMedia } = this.#options;
    const signalling = new Signalling(server);
    return new OpenCall({
      signalling,
      media: media(signalling),
      credentials,
      patienceMs: this.#options.patienceMs ?? RESUME_WITHIN_MS,
      microphone: () => (this.#microphone ?? microphone).track,
      muted: () => this.#muted,
      moved: (event) => this.#move(event),
      over: (ending) => this.#end(ending),
      tell: (name, payload) => this.events.emit(name, payload),
    });
  }

  #useMicrophone(microphone: Microphone): void {
    this.#microphone?.close();
    this.#microphone = microphone;
    this.#chosenId = microphone.track.getSettings().deviceId ?? this.#chosenId;
    // Unplugged: whatever the browser now takes as its own choice.
    microphone.onLost(() => {
      if (this.#microphone === microphone) void this.#replaceLost();
    });
    this.#stopWatching ??= this.#microphones.onChanged(() => void this.#tellMicrophones());
    void this.#tellMicrophones();
  }

  async #replaceLost(): Promise<void> {
    const number = this.#calls;
    this.#chosenId = undefined;
    try {
      const microphone = await this.#microphones.open();
      if (!this.#isCurrent(number)) {
        microphone.close();
        return;
      }
      this.#useMicrophone(microphone);
      await this.#call?.media.useMicrophone(microphone.track);
    } catch (error) {
      if (this.#isCurrent(number)) this.#end(endingOf(error));
    }
  }

  async #tellMicrophones(): Promise<void> {
    const choices = await this.#microphones.list();
    this.events.emit('microphones', { choices, chosenId: this.#chosenId });
  }

  #isCurrent(number: number): boolean {
    return number === this.#calls && isOpen(this.#state);
  }

  #move(event: CallEvent, ending?: CallEnding): void {
    this.#state = nextState(this.#state, event);
    this.events.emit('state', { state: this.#state, ...(ending === undefined ? {} : { ending }) });
  }

  #end(ending: CallEnding): void {
    if (!isOpen(this.#state)) return;
    this.#call?.close();
    this.#call = undefined;
    this.#microphone?.close();
    this.#microphone = undefined;
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    const muted = this.#muted;
    this.#muted = false;
    this.#move('over', ending);
    // The next call begins with an open microphone.
    if (muted) this.events.emit('muted', false);
  }
}

function webRtcMedia(signalling: Signalling): CallMedia {
  return new WebRtcMedia((name, ask) => signalling.ask(name, ask));
}

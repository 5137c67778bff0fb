/**
 * The sound of a call: mediasoup-client's transports, the microphone's producer, a consumer per far voice.
 */
import { Device, type types } from 'mediasoup-client';
import type { Joined, WireProducer, WireRtpCapabilities } from '../../src/web/wire.ts';
import { Emitter } from './emitter.ts';
import { GatewayRefusal, type AskGateway } from './signalling.ts';
import { Speakers } from './speakers.ts';

export type Direction = 'send' | 'receive';

export interface MediaEvents {
  /** A transport found its peer, or lost it. */
  connection: { readonly direction: Direction; readonly up: boolean };
  /** The browser plays no sound until the visitor touches the page. */
  playbackBlocked: null;
  /** A relay did not let us in, and without it there is no way to the gateway. */
  relayRefused: { readonly url: string; readonly reason: string };
}

/** What a call is told about its room, at first and after a move. */
export type RoomFacts = Pick<
  Joined,
  'codec' | 'iceServers' | 'iceTransportPolicy' | 'permissions' | 'producers'
> & { readonly routerRtpCapabilities: WireRtpCapabilities };

export interface CallMedia {
  readonly events: Emitter<MediaEvents>;
  /** Builds all of it, and resolves when it is negotiated; sound flows once `connection` says so. */
  open(facts: RoomFacts, microphone: MediaStreamTrack): Promise<void>;
  /** Hears one more. A voice that has left meanwhile is no error. */
  add(producer: WireProducer): Promise<void>;
  remove(producerId: string): void;
  /** After a resumption: hears exactly these. */
  settle(producers: readonly WireProducer[]): Promise<void>;
  /** All transports, or the one of that id. */
  restartIce(transportId?: string): Promise<void>;
  mute(muted: boolean): Promise<void>;
  useMicrophone(track: MediaStreamTrack): Promise<void>;
  unblockPlayback(): Promise<void>;
  /** 0 to 1: the loudest far voice. */
  level(): number;
  close(): void;
}

export class WebRtcMedia implements CallMedia {
  readonly events = new Emitter<MediaEvents>();
  readonly #ask: AskGateway;
  readonly #speakers = new Speakers(() => this.events.emit('playbackBlocked', null));
  readonly #heard = new Map<string, types.Consumer>();
  readonly #wanted = new Set<string>();
  #device: Device | undefined;
  #transports = new Map<Direction, types.Transport>();
  /** Transports that were without their peer since the last restart, whether or not they are still. */
  readonly #lost = new Set<string>();
  #producer: types.Producer | undefined;
  #muted = false;

  constructor(ask: AskGateway) {
    this.#ask = ask;
  }

  async open(facts: RoomFacts, microphone: MediaStreamTrack): Promise<void> {
    this.#drop();
    const device = await Device.factory();
    await device.load({ routerRtpCapabilities: facts.routerRtpCapabilities as types.RtpCapabilities });
    this.#device = device;
    const sending = facts.permissions.includes('publish');
    await Promise.all([
      sending ? this.#makeTransport('send', device, facts) : undefined,
      facts.permissions.includes('hear') ? this.#makeTransport('receive', device, facts) : undefined,
    ]);
    const work = facts.producers.map((producer) => this.add(producer));
    if (sending) work.push(this.#produce(device, facts.codec, microphone));
    await Promise.all(work);
  }

  async add({ producerId }: WireProducer): Promise<void> {
    const [device, transport] = [this.#device, this.#transports.get('receive')];
    if (device === undefined || transport === undefined || this.#wanted.has(producerId)) return;
    this.#wanted.add(producerId);
    try {
      const rtpCapabilities = device.recvRtpCapabilities as WireRtpCapabilities;
      const { consumerId, kind, rtpParameters } = await this.#ask('consume', { producerId, rtpCapabilities });
      if (!this.#wanted.has(producerId) || transport.closed) return;
      const consumer = await transport.consume({
        id: consumerId,
        producerId,
        kind,
        rtpParameters: rtpParameters as types.RtpParameters,
      });
      this.#heard.set(producerId, consumer);
      this.#speakers.play(producerId, consumer.track);
      await this.#ask('consumer.resume', { consumerId });
      if (!this.#wanted.has(producerId)) this.#forget(producerId);
    } catch (error) {
      // Gone meanwhile, as we or the gateway know.
      const gone = !this.#wanted.has(producerId) || transport.closed || error instanceof GatewayRefusal;
      this.#forget(producerId);
      if (!gone) throw error;
    }
  }

  remove(producerId: string): void {
    this.#forget(producerId);
  }

  async settle(producers: readonly WireProducer[]): Promise<void> {
    const here = new Set(producers.map((producer) => producer.producerId));
    for (const producerId of [...this.#wanted]) if (!here.has(producerId)) this.#forget(producerId);
    await Promise.all(producers.map((producer) => this.add(producer)));
  }

  async restartIce(transportId?: string): Promise<void> {
    const all = [...this.#transports.values()];
    const chosen = all.filter((transport) => transportId === undefined || transport.id === transportId);
    await Promise.all(
      chosen.map(async (transport) => {
        const { iceParameters, iceServers } = await this.#ask('transport.restartIce', {
          transportId: transport.id,
          pathLost: this.#lost.delete(transport.id),
        });
        if (transport.closed) return;
        await transport.updateIceServers({ iceServers: iceServers as RTCIceServer[] });
        await transport.restartIce({ iceParameters: iceParameters as types.IceParameters });
      }),
    );
  }

  async mute(muted: boolean): Promise<void> {
    this.#muted = muted;
    const producer = this.#producer;
    if (producer === undefined) return;
    // The track falls silent at once, whether or not the gateway can be told.
    if (muted) producer.pause();
    else producer.resume();
    await this.#ask(muted ? 'producer.pause' : 'producer.resume', { producerId: producer.id });
  }

  async useMicrophone(track: MediaStreamTrack): Promise<void> {
    await this.#producer?.replaceTrack({ track });
  }

  unblockPlayback(): Promise<void> {
    return this.#speakers.unblock();
  }

  level(): number {
    return this.#speakers.level();
  }

  close(): void {
    this.events.removeAll();
    this.#drop();
  }

  #drop(): void {
    this.#wanted.clear();
    this.#heard.clear();
    this.#speakers.close();
    for (const transport of this.#transports.values()) transport.close();
    this.#transports = new Map();
    this.#producer = undefined;
    this.#device = undefined;
  }

  #forget(producerId: string): void {
    this.#wanted.delete(producerId);
    this.#speakers.stop(producerId);
    this.#heard.get(producerId)?.close();
    this.#heard.delete(producerId);
  }

  async #makeTransport(direction: Direction, device: Device, facts: RoomFacts): Promise<void> {
    const made = await this.#ask('transport.create', { direction });
    const options = {
      id: made.transportId,
      iceParameters: made.iceParameters as types.IceParameters,
      iceCandidates: made.iceCandidates as types.IceCandidate[],
      dtlsParameters: made.dtlsParameters as types.DtlsParameters,
      iceServers: facts.iceServers as RTCIceServer[],
      iceTransportPolicy: facts.iceTransportPolicy,
    };
    const transport =
      direction === 'send' ? device.createSendTransport(options) : device.createRecvTransport(options);
    this.#transports.set(direction, transport);
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      const ask = { transportId: transport.id, dtlsParameters: dtlsParameters as never };
      this.#ask('transport.connect', ask).then(() => done(), failed);
    });
    transport.on('produce', ({ rtpParameters }, done, failed) => {
      const ask = { transportId: transport.id, rtpParameters: rtpParameters as never };
      this.#ask('produce', ask).then(({ producerId }) => done({ id: producerId }), failed);
    });
    this.#watchRelays(transport);
    transport.on('connectionstatechange', (state) => {
      if (state === 'connected') this.events.emit('connection', { direction, up: true });
      if (state !== 'disconnected' && state !== 'failed') return;
      this.#lost.add(transport.id);
      this.events.emit('connection', { direction, up: false });
    });
  }

  /** A browser says why a relay gave it no address, and when it has looked everywhere. */
  #watchRelays(transport: types.Transport): void {
    let refusal: MediaEvents['relayRefused'] | undefined;
    transport.on('icecandidateerror', ({ url, errorCode, errorText }) => {
      if (url.startsWith('turn')) refusal = { url, reason: `${errorCode} ${errorText}`.trim() };
    });
    transport.on('icegatheringstatechange', (state) => {
      if (state !== 'complete' || refusal === undefined) return;
      const refused = refusal;
      transport.getStats().then(
        (stats) => {
          const all = [...stats.values()] as { type: string }[];
          if (!all.some(({ type }) => type === 'local-candidate')) this.events.emit('relayRefused', refused);
        },
        // Closed meanwhile.
        () => undefined,
      );
    });
  }

  async #produce(device: Device, name: Joined['codec'], track: MediaStreamTrack): Promise<void> {
    const mimeType = `audio/${name}`;
    const codec = device.sendRtpCapabilities.codecs?.find((one) => one.mimeType.toLowerCase() === mimeType);
    const producer = await this.#transports.get('send')?.produce({
      track,
      stopTracks: false,
      ...(codec === undefined ? {} : { codec }),
      // Speech over a lossy network, and nothing sent in the pauses (RFC 7587 §3.1.3 and §3.1.1).
      ...(name === 'opus' ? { codecOptions: { opusStereo: false, opusFec: true, opusDtx: true } } : {}),
    });
    this.#producer = producer;
    if (this.#muted) await this.mute(true);
  }
}

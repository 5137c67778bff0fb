/** The sound of one browser: its two transports in the router, its microphone, and what it listens to. */
import { TrunklineError, messageOf } from '../base/errors.ts';
import { Events } from '../base/events.ts';
import type { SfuProducer, SfuRouter, WebRtcTransport } from '../media/sfu-router.ts';
import type { IceState } from './ice-watch.ts';
import type { Ask, Result } from './wire.ts';

type Direction = Ask<'transport.create'>['direction'];
type Producer = Awaited<ReturnType<WebRtcTransport['produce']>>;
type Consumer = Awaited<ReturnType<WebRtcTransport['consume']>>;
// zod writes "may be undefined" where mediasoup says "may be missing"; JSON knows no difference.
type DtlsParameters = Parameters<WebRtcTransport['connect']>[0]['dtlsParameters'];
type RtpParameters = Consumer['rtpParameters'];
type RtpCapabilities = Parameters<WebRtcTransport['consume']>[0]['rtpCapabilities'];

/** What one browser may listen to at a time; a room holds no more. */
export const consumers_max = 64;

export type RoomCodec = 'opus' | 'pcmu';

export interface GuestMediaEvents {
  ice: { transportId: string; state: IceState };
  /** The sound of somebody goes out to the browser now. */
  hears: { participantId: string };
  /** Its microphone has a way in now. */
  speaks: null;
}

export class GuestMedia {
  readonly events = new Events<GuestMediaEvents>();
  readonly #participantId: string;
  readonly #codec: RoomCodec;
  #router: SfuRouter;
  readonly #transports = new Map<Direction, WebRtcTransport>();
  #microphone: Producer | undefined;
  readonly #consumers = new Map<string, Consumer>();
  #closed = false;

  constructor(options: { participantId: string; codec: RoomCodec; router: SfuRouter }) {
    this.#participantId = options.participantId;
    this.#codec = options.codec;
    this.#router = options.router;
  }

  get transports(): number {
    return this.#transports.size;
  }

  /** What was here is gone; new transports are made in `router`. */
  moveTo(router: SfuRouter): void {
    this.#closeTransports();
    this.#router = router;
  }

  async createTransport(direction: Direction): Promise<Result<'transport.create'>> {
    this.#closeTransport(direction);
    const tag = { participantId: this.#participantId };
    const transport = await asked(() => this.#router.createWebRtcTransport({ tag }));
    if (this.#closed) {
      transport.close();
      throw new TrunklineError('WEB_NOT_FOUND', 'the participant has left');
    }
    this.#transports.set(direction, transport);
    this.#watch(transport);
    const { id: transportId, iceParameters, iceCandidates, dtlsParameters } = transport;
    return { transportId, iceParameters, iceCandidates, dtlsParameters };
  }

  async connect({ transportId, dtlsParameters }: Ask<'transport.connect'>): Promise<void> {
    const transport = this.#transport(transportId);
    await asked(() => transport.connect({ dtlsParameters: dtlsParameters as DtlsParameters }));
    this.events.emit('ice', { transportId, state: transport.iceState });
  }

  async restartIce(transportId: string): Promise<Pick<Result<'transport.restartIce'>, 'iceParameters'>> {
    const transport = this.#transport(transportId);
    return { iceParameters: await asked(() => transport.restartIce()) };
  }

  /** A second microphone takes the place of the first. */
  async produce({ transportId, rtpParameters }: Ask<'produce'>): Promise<string> {
    const transport = this.#transport(transportId);
    if (transport !== this.#transports.get('send'))
      throw new TrunklineError('WEB_MEDIA_REFUSED', 'sound is sent on the send transport');
    const spoken = rtpParameters.codecs[0]?.mimeType.toLowerCase();
    if (spoken !== `audio/${this.#codec}`)
      throw new TrunklineError('WEB_MEDIA_REFUSED', `${String(spoken)} in a room of ${this.#codec}`);
    this.#microphone?.close();
    const appData = { participantId: this.#participantId };
    const microphone = { kind: 'audio', rtpParameters: rtpParameters as RtpParameters, appData } as const;
    const producer = await asked(() => transport.produce(microphone));
    this.#microphone = producer;
    producer.observer.once('close', () => {
      if (this.#microphone === producer) this.#microphone = undefined;
    });
    this.#tellSpeaks();
    return producer.id;
  }

  async pauseProducer(producerId: string): Promise<void> {
    const producer = this.#producer(producerId);
    await asked(() => producer.pause());
  }

  async resumeProducer(producerId: string): Promise<void> {
    const producer = this.#producer(producerId);
    await asked(() => producer.resume());
  }

  closeProducer(producerId: string): void {
    this.#producer(producerId).close();
  }

  /** `source` is in the room's router, and may be heard. The consumer is paused until `resumeConsumer`. */
  async consume(
    source: SfuProducer,
    participantId: string,
    rtpCapabilities: Ask<'consume'>['rtpCapabilities'],
  ): Promise<Result<'consume'>> {
    const transport = this.#transports.get('receive');
    if (transport === undefined) throw new TrunklineError('WEB_NOT_FOUND', 'no receive transport');
    if (this.#consumers.size >= consumers_max)
      throw new TrunklineError('WEB_MEDIA_REFUSED', `${consumers_max} others are listened to`);
    const { producerId, kind } = source;
    const appData = { participantId };
    const consumer = await asked(() =>
      transport.consume({
        producerId,
        rtpCapabilities: rtpCapabilities as RtpCapabilities,
        paused: true,
        appData,
      }),
    );
    this.#consumers.set(consumer.id, consumer);
    consumer.observer.once('close', () => this.#consumers.delete(consumer.id));
    const rtpParameters = consumer.rtpParameters as Result<'consume'>['rtpParameters'];
    return { consumerId: consumer.id, producerId, participantId, kind, rtpParameters };
  }

  /** What the browser has of this producer is closed; it gets no more of its sound. */
  stopConsuming(producerId: string): void {
    for (const consumer of [...this.#consumers.values()])
      if (consumer.producerId === producerId) consumer.close();
  }

  async pauseConsumer(consumerId: string): Promise<void> {
    const consumer = this.#consumer(consumerId);
    await asked(() => consumer.pause());
  }

  async resumeConsumer(consumerId: string): Promise<void> {
    const consumer = this.#consumer(consumerId);
    await asked(() => consumer.resume());
    this.#tellHeard();
  }

  /** Closes both transports with all that is on them. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#closeTransports();
    this.events.removeAll();
  }

  #watch(transport: WebRtcTransport): void {
    const { id: transportId } = transport;
    transport.on('icestatechange', (state) => this.events.emit('ice', { transportId, state }));
    transport.on('dtlsstatechange', () => {
      this.#tellHeard();
      this.#tellSpeaks();
    });
    transport.observer.once('close', () => this.events.emit('ice', { transportId, state: 'closed' }));
  }

  /** Sound needs both: a connected transport, and a consumer that is not paused. */
  #tellHeard(): void {
    if (this.#transports.get('receive')?.dtlsState !== 'connected') return;
    for (const { paused, appData } of this.#consumers.values())
      if (!paused) this.events.emit('hears', { participantId: String(appData['participantId']) });
  }

  #tellSpeaks(): void {
    if (this.#microphone !== undefined && this.#transports.get('send')?.dtlsState === 'connected')
      this.events.emit('speaks', null);
  }

  #transport(transportId: string): WebRtcTransport {
    const found = [...this.#transports.values()].find((one) => one.id === transportId && !one.closed);
    if (found === undefined) throw new TrunklineError('WEB_NOT_FOUND', `transport ${transportId}`);
    return found;
  }

  #producer(producerId: string): Producer {
    if (this.#microphone?.id === producerId) return this.#microphone;
    throw new TrunklineError('WEB_NOT_FOUND', `producer ${producerId}`);
  }

  #consumer(consumerId: string): Consumer {
    const found = this.#consumers.get(consumerId);
    if (found === undefined) throw new TrunklineError('WEB_NOT_FOUND', `consumer ${consumerId}`);
    return found;
  }

  #closeTransport(direction: Direction): void {
    this.#transports.get(direction)?.close();
    this.#transports.delete(direction);
  }

  #closeTransports(): void {
    this.#closeTransport('send');
    this.#closeTransport('receive');
  }
}

/** What mediasoup refuses is the browser's affair: parameters that do not fit, a transport that just went. */
async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new TrunklineError('WEB_MEDIA_REFUSED', messageOf(error), { cause: error });
  }
}

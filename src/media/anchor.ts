import type { RemoteInfo } from 'node:dgram';
import { isIP } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { TrunklineError } from '../base/errors.ts';
import { CallerStream } from './caller-stream.ts';
import type { LegPolicy, LegSettings, LegStats, ThreadEvent } from './control.ts';
import { DtmfReceiver } from './dtmf-receiver.ts';
import { SAMPLE_RATE_HZ } from './frame.ts';
import type { Frame, Sink, Source, Ticked } from './frame.ts';
import { Latch } from './latch.ts';
import { bufferDelayMs, mosOf } from './mos.ts';
import type { PortPool } from './port-pool.ts';
import { PAYLOAD_BYTES_MAX, ReceivedLine } from './received-line.ts';
import { RtcpSession } from './rtcp-session.ts';
import { looksLikeRtcp, parseRtp, RtpHeader } from './rtp.ts';
import { SilenceWatch } from './silence-watch.ts';
import { bindUdp } from './udp.ts';
import type { SocketLedger, UdpSocket } from './udp.ts';

/** Comfort noise (RFC 3389): a sign of life without sound. */
const COMFORT_NOISE = 13;
/** Digits kept for the statistics of a leg. */
const DIGITS_KEPT = 256;

export interface AnchorOptions {
  readonly legId: string;
  /** Local address of both sockets. */
  readonly address: string;
  readonly policy: LegPolicy;
  readonly pool: PortPool;
  readonly ledger: SocketLedger;
  readonly clock: Clock;
  readonly report: (event: ThreadEvent) => void;
  readonly onError: (error: unknown) => void;
}

interface Sockets {
  readonly rtp: UdpSocket;
  readonly rtcp: UdpSocket;
}

/**
 * Our end of a leg's sound: RTP on an even port, RTCP on the next. It trusts nothing that comes in,
 * and what goes out never stops and never jumps. As a source it gives 20 ms frames as the network delivers
 * them;
 * as a sink it sends exactly one packet per tick while it may send.
 */
export class RtpAnchor implements Source, Sink, Ticked {
  readonly id: string;
  readonly paced = false;
  sinks: readonly Sink[] = [];
  readonly #options: AnchorOptions;
  readonly #clock: Clock;
  readonly #latch: Latch;
  readonly #silence: SilenceWatch;
  readonly #stream = new CallerStream();
  readonly #line = new ReceivedLine('pcmu');
  readonly #dtmf: DtmfReceiver;
  readonly #rtcp: RtcpSession;
  readonly #header = new RtpHeader();
  #sockets: Sockets | null = null;
  #settings: LegSettings | null = null;
  #maySend = false;
  #mayHear = false;
  #rtcpSource: { address: string; port: number } | null = null;
  #digits = '';
  #foreign = 0;
  #unknownPayloadType = 0;
  #malformed = 0;
  #closed: Promise<void> | null = null;

  private constructor(options: AnchorOptions) {
    this.id = options.legId;
    this.#options = options;
    this.#clock = options.clock;
    this.#latch = new Latch(options.policy);
    this.#silence = new SilenceWatch(options.policy.rtpTimeoutMs);
    this.#dtmf = new DtmfReceiver((digit, durationMs) => this.#onDigit(digit, durationMs));
    this.#rtcp = new RtcpSession({
      sending: this.#stream.line,
      receiving: this.#line,
      cname: `${options.legId}@trunkline`,
      nowMs: options.clock.nowMs(),
    });
  }

  /**
   * Binds a pair of ports. Rejects with RTP_PORTS_EXHAUSTED.
   * Nothing is sent and nothing is let in before `settle`.
   */
  static async open(options: AnchorOptions): Promise<RtpAnchor> {
    const anchor = new RtpAnchor(options);
    const { address, ledger, onError } = options;
    const lent = await options.pool.lend(async (port) => {
      const rtp = await bindUdp({ address, port, ledger, onError, onPacket: (p, f) => anchor.#onRtp(p, f) });
      try {
        const onPacket = (packet: Buffer, from: RemoteInfo): void => anchor.#onRtcp(packet, from);
        return { rtp, rtcp: await bindUdp({ address, port: port + 1, ledger, onError, onPacket }) };
      } catch (error) {
        await rtp.close();
        throw error;
      }
    });
    anchor.#sockets = lent.bound;
    return anchor;
  }

  get rtpPort(): number {
    return this.#open().rtp.port;
  }

  get rtcpPort(): number {
    return this.#open().rtcp.port;
  }

  /**
   * What offer/answer settled; may come again at any time.
   * Throws MEDIA_COMMAND_INVALID when the address is no IP.
   */
  settle(settings: LegSettings): void {
    const { remote, codec, direction, held, sending } = settings;
    if (isIP(remote.address) === 0 || isIP(remote.address) !== isIP(this.#options.address)) {
      throw new TrunklineError('MEDIA_COMMAND_INVALID', `${remote.address} is no address of our family`);
    }
    const nowMs = this.#clock.nowMs();
    this.#settings = settings;
    this.#line.codec = codec;
    this.#stream.mixer.codec = codec;
    this.#latch.settle({ address: remote.address, port: remote.rtpPort }, nowMs);
    this.#rtcpSource = null;
    // RFC 3264 §5.1 and §8.4: the address 0.0.0.0 is the old way to say hold.
    const reachable = remote.address !== '0.0.0.0' && remote.address !== '::';
    this.#maySend = sending && reachable && (direction === 'sendrecv' || direction === 'sendonly');
    this.#mayHear = direction === 'sendrecv' || direction === 'recvonly';
    this.#silence.settle(this.#mayHear && !held && sending, nowMs);
  }

  /** Presses keys towards the far end. false: too many wait already. */
  press(digits: string, timing: { toneMs: number; gapMs: number }): boolean {
    const asEvents = (this.#settings?.telephoneEventPayloadType ?? null) !== null;
    return this.#stream.press(digits, timing, asEvents);
  }

  take(frame: Frame, from: Source): void {
    this.#stream.mixer.take(frame, from);
  }

  sourceAdded(from: Source): void {
    this.#stream.mixer.addInput(from);
  }

  sourceRemoved(from: Source): void {
    this.#stream.mixer.removeInput(from);
  }

  tick(tick: number): void {
    if (this.#closed !== null) return;
    const nowMs = this.#clock.nowMs();
    const packet = this.#stream.next(tick, this.#maySend ? this.#settings : null);
    if (packet !== null) this.#sendRtp(packet);
    this.#dtmf.expire(nowMs);
    const silentMs = this.#silence.check(nowMs);
    if (silentMs !== null) this.#options.report({ type: 'leg.silent', legId: this.id, silentMs });
    if (this.#settings?.sending !== true) return;
    const report = this.#rtcp.tick(nowMs);
    if (report !== null) this.#sendRtcp(report);
  }

  stats(): LegStats {
    const { reception } = this.#line;
    const { line } = this.#stream;
    const { far } = this.#rtcp;
    const jitterMs = (reception.jitter * 1000) / SAMPLE_RATE_HZ;
    const tripMs = (far.roundTripMs ?? 0) / 2;
    return {
      fromCaller: {
        packets: reception.packets,
        bytes: reception.bytes,
        lost: reception.lost,
        duplicates: reception.duplicates,
        late: reception.late,
        jitterMs,
        droppedForeignSource: this.#foreign,
        droppedPayloadType: this.#unknownPayloadType,
        droppedMalformed: this.#malformed + this.#rtcp.malformed,
        ssrcChanges: this.#line.ssrcChanges,
      },
      toCaller: { packets: line.packets, bytes: line.bytes, ssrc: line.ssrc, ...far },
      mosFromCaller:
        reception.expected === 0
          ? null
          : mosOf({
              lossRatio: reception.lost / reception.expected,
              oneWayDelayMs: tripMs + bufferDelayMs(jitterMs),
            }),
      mosToCaller:
        far.lossRatio === null
          ? null
          : mosOf({ lossRatio: far.lossRatio, oneWayDelayMs: tripMs + bufferDelayMs(far.jitterMs ?? 0) }),
      dtmf: this.#digits,
    };
  }

  /** Says BYE in RTCP if anything was sent, and gives the ports back. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    const { rtp, rtcp } = this.#open();
    this.#dtmf.reset();
    if (this.#stream.line.packets > 0) this.#sendRtcp(this.#rtcp.bye(this.#clock.nowMs()));
    const { port } = rtp;
    await Promise.all([rtp.close(), rtcp.close()]);
    this.#options.pool.giveBack(port);
  }

  #open(): Sockets {
    if (this.#sockets === null) throw new TrunklineError('MEDIA_NOT_OPEN', this.id);
    return this.#sockets;
  }

  #sendRtp(packet: Buffer): void {
    const settings = this.#settings;
    if (settings === null || this.#sockets === null) return;
    // Symmetric RTP (RFC 4961): a far end behind NAT hears us only where it speaks from.
    const { source } = this.#latch;
    if (source === null) this.#sockets.rtp.send(packet, settings.remote.rtpPort, settings.remote.address);
    else this.#sockets.rtp.send(packet, source.port, source.address);
  }

  #sendRtcp(packet: Buffer): void {
    const remote = this.#settings?.remote;
    if (remote === undefined || this.#sockets === null) return;
    const muxed = remote.rtcpPort === remote.rtpPort;
    const { source } = this.#latch;
    const socket = muxed ? this.#sockets.rtp : this.#sockets.rtcp;
    if (this.#rtcpSource !== null) socket.send(packet, this.#rtcpSource.port, this.#rtcpSource.address);
    else if (muxed && source !== null) socket.send(packet, source.port, source.address);
    else socket.send(packet, remote.rtcpPort, source?.address ?? remote.address);
  }

  #onRtp(packet: Buffer, from: RemoteInfo): void {
    if (looksLikeRtcp(packet)) {
      this.#onRtcp(packet, from);
      return;
    }
    const header = this.#header;
    if (!parseRtp(packet, header) || header.payloadEnd - header.payloadStart > PAYLOAD_BYTES_MAX) {
      this.#malformed++;
      return;
    }
    const settings = this.#settings;
    if (settings === null) {
      this.#foreign++;
      return;
    }
    const nowMs = this.#clock.nowMs();
    const type = header.payloadType;
    const isEvent = type === settings.telephoneEventPayloadType;
    const isSound = type === settings.payloadType;
    const known = isSound || isEvent || type === COMFORT_NOISE;
    const admission = this.#latch.admit(from, header.ssrc, type, known, nowMs);
    if (admission === 'refused') {
      this.#foreign++;
      return;
    }
    if (admission === 'latched') {
      this.#options.report({ type: 'leg.latched', legId: this.id, address: from.address, port: from.port });
    }
    this.#silence.heard(nowMs);
    const changes = this.#line.ssrcChanges;
    const usable = this.#line.accept(header);
    if (this.#line.ssrcChanges !== changes) this.#dtmf.reset();
    if (!known) this.#unknownPayloadType++;
    // Events are deduplicated by their timestamp: a late one may be the only end that arrived.
    if (isEvent) this.#dtmf.receive(packet, header.payloadStart, header.payloadEnd, header.timestamp, nowMs);
    else if (isSound && usable && this.#mayHear) this.#line.deliver(packet, header, nowMs, this);
  }

  #onRtcp(packet: Buffer, from: RemoteInfo): void {
    if (!this.#latch.knows(from.address)) {
      this.#foreign++;
      return;
    }
    if (this.#rtcp.receive(packet, this.#clock.nowMs())) {
      if (this.#rtcpSource?.port !== from.port || this.#rtcpSource.address !== from.address) {
        this.#rtcpSource = { address: from.address, port: from.port };
      }
    }
  }

  #onDigit(digit: string, durationMs: number): void {
    if (this.#digits.length < DIGITS_KEPT) this.#digits += digit;
    this.#options.report({ type: 'leg.digit', legId: this.id, digit, durationMs });
  }
}

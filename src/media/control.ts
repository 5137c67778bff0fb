/**
 * The one list of what the main thread and a media thread say to each other.
 * Both sides parse with these schemas; sound never passes here.
 */
import { z } from 'zod';
import { placedSchema, precedenceSchema } from '../base/precedence.ts';

const id = z.string().min(1).max(128);
const port = z.int().min(1).max(65535);
const payloadType = z.int().min(0).max(127);
export const codecSchema = z.enum(['pcmu', 'pcma']);
/** Direction of sound as the *far end* sees our answer: what we do (RFC 3264 §6.1). */
export const directionSchema = z.enum(['sendrecv', 'sendonly', 'recvonly', 'inactive']);
export type Direction = z.infer<typeof directionSchema>;

/** What offer/answer settled for a leg: where to send, what, and what to expect. */
export const legSettingsSchema = z.strictObject({
  remote: z.strictObject({
    address: z.string().min(1),
    rtpPort: port,
    /** Equal to rtpPort when RTP and RTCP share it (RFC 5761). */
    rtcpPort: port,
  }),
  codec: codecSchema,
  payloadType,
  /** RFC 4733 payload type, or null when not negotiated. */
  telephoneEventPayloadType: payloadType.nullable(),
  /** What we do: `sendonly` means the far end said it will not send (or is on hold). */
  direction: directionSchema,
  /** The far end put us on hold: its silence is no timeout. */
  held: z.boolean(),
  /** false until the leg may be sent to (early media or answer). */
  sending: z.boolean(),
});
export type LegSettings = z.infer<typeof legSettingsSchema>;

/** Rules of the latch and the timeout, from the trunk's configuration. */
export const legPolicySchema = z.strictObject({
  /** Learn the far end's real source (NAT) instead of trusting its SDP address only. */
  learnSource: z.boolean(),
  /** How long after a negotiation a source may be learned, in ms. */
  learnWindowMs: z.int().min(0).max(60_000),
  /** Allow a new source once the latched one was silent for 1 s. */
  relatchAfterSilence: z.boolean(),
  /** End of patience without RTP while sound is expected, in ms; 0: never. */
  rtpTimeoutMs: z.int().min(0).max(3_600_000),
});
export type LegPolicy = z.infer<typeof legPolicySchema>;

/** A voice of the router's side: a remote producer that this link receives, or one that it sends. */
const linkTrack = {
  linkId: id,
  ssrc: z.int().min(1).max(0xffffffff),
  payloadType,
  codec: z.enum(['pcmu', 'pcma', 'opus']),
};

export const commandSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('leg.open'), legId: id, policy: legPolicySchema }),
  z.strictObject({ type: z.literal('leg.settle'), legId: id, settings: legSettingsSchema }),
  z.strictObject({
    type: z.literal('leg.dtmf'),
    legId: id,
    digits: z.string().regex(/^[0-9*#A-D]{1,64}$/),
    toneMs: z.int().min(40).max(2000),
    gapMs: z.int().min(40).max(2000),
  }),
  z.strictObject({ type: z.literal('leg.stats'), legId: id }),
  z.strictObject({ type: z.literal('leg.close'), legId: id }),
  /** A loopback socket towards the router: `uplink` is where its packets go (the router's PlainTransport). */
  z.strictObject({ type: z.literal('link.open'), linkId: id }),
  z.strictObject({ type: z.literal('link.target'), linkId: id, uplinkPort: port, downlinkPort: port }),
  /** Patches source `fromId` to the router under `ssrc`. Nothing flows until `flowing`. */
  z.strictObject({ type: z.literal('link.send'), fromId: id, flowing: z.boolean(), ...linkTrack }),
  /** Declares a source `sourceId` fed by the router's packets with `ssrc`. */
  z.strictObject({ type: z.literal('link.receive'), sourceId: id, ...linkTrack }),
  z.strictObject({ type: z.literal('link.drop'), linkId: id, ssrc: z.int() }),
  z.strictObject({ type: z.literal('link.close'), linkId: id }),
  z.strictObject({ type: z.literal('patch'), from: id, to: id }),
  z.strictObject({ type: z.literal('unpatch'), from: id, to: id }),
  z.strictObject({
    type: z.literal('player.open'),
    playerId: id,
    codec: codecSchema,
    play: z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('tone'),
        frequencyHz: z.number().min(50).max(3900),
        level: z.number(),
      }),
      /** A raw or WAV file of 8 kHz G.711 or 16-bit mono. */
      z.strictObject({ kind: z.literal('file'), path: z.string(), loop: z.boolean() }),
    ]),
  }),
  z.strictObject({ type: z.literal('player.close'), playerId: id }),
  z.strictObject({ type: z.literal('voice.open'), voiceId: id, codec: codecSchema, spec: z.unknown() }),
  z.strictObject({ type: z.literal('voice.command'), voiceId: id, command: z.unknown() }),
  z.strictObject({ type: z.literal('voice.close'), voiceId: id }),
  /** What the voices' shared parts have counted; and no more to be got ready, because the gateway stops. */
  z.strictObject({ type: z.literal('voices.figures') }),
  z.strictObject({ type: z.literal('voices.drain') }),
  /** What is open in this thread, for operators and for tests that want nothing left. */
  z.strictObject({ type: z.literal('census') }),
  /** Closes everything in the thread; answered when nothing is left. The thread then ends by itself. */
  z.strictObject({ type: z.literal('thread.close') }),
]);
export type Command = z.infer<typeof commandSchema>;
export type CommandOf<T extends Command['type']> = Extract<Command, { type: T }>;

const reception = z.strictObject({
  packets: z.int(),
  bytes: z.int(),
  /** Expected minus received, never negative (RFC 3550 §6.4.1). */
  lost: z.int(),
  duplicates: z.int(),
  late: z.int(),
  jitterMs: z.number(),
  /** Packets dropped by cause, for `explain`. */
  droppedForeignSource: z.int(),
  droppedPayloadType: z.int(),
  droppedMalformed: z.int(),
  ssrcChanges: z.int(),
});

export const legStatsSchema = z.strictObject({
  fromCaller: reception,
  toCaller: z.strictObject({
    packets: z.int(),
    bytes: z.int(),
    ssrc: z.int(),
    /** As the far end reported it in RTCP; null when it never did. */
    lossRatio: z.number().nullable(),
    jitterMs: z.number().nullable(),
    roundTripMs: z.number().nullable(),
  }),
  /** E-model listening quality, 1.0 to 4.5 (ITU-T G.107); null without packets or reports. */
  mosFromCaller: z.number().nullable(),
  mosToCaller: z.number().nullable(),
  /** Digits heard, in order. */
  dtmf: z.string(),
});
export type LegStats = z.infer<typeof legStatsSchema>;

export const censusSchema = z.strictObject({
  legs: z.int(),
  links: z.int(),
  voices: z.int(),
  players: z.int(),
  patches: z.int(),
  sockets: z.int(),
  /** Opus encoders and decoders, one for each track in Opus. */
  opusStates: z.int(),
  /** RTP ports handed out, and those still in quarantine. */
  portsUsed: z.int(),
  portsQuarantined: z.int(),
  /** Parts that the pacer drives. */
  ticked: z.int(),
  /** How late ticks ran since the last census, in ms. */
  tickLateP50Ms: z.number(),
  tickLateP99Ms: z.number(),
});
export type Census = z.infer<typeof censusSchema>;

/** Results of the commands that answer more than `null`. */
export const resultSchemas = {
  'leg.open': z.strictObject({ address: z.string(), rtpPort: port, rtcpPort: port }),
  'leg.stats': legStatsSchema,
  'leg.close': legStatsSchema,
  'link.open': z.strictObject({ port }),
  census: censusSchema,
  'voices.figures': z.unknown(),
};
/** Result of a command by its type; commands that are not named answer `null`. */
export type Results = { [T in keyof typeof resultSchemas]: z.infer<(typeof resultSchemas)[T]> };
export type ResultOf<T extends Command['type']> = T extends keyof Results ? Results[T] : null;

export const eventSchema = z.discriminatedUnion('type', [
  /** A digit, once per key press, whatever path it came by. */
  z.strictObject({
    type: z.literal('leg.digit'),
    legId: id,
    digit: z.string().regex(/^[0-9*#A-D]$/),
    durationMs: z.int(),
  }),
  /** The first RTP packet that was let in, and every later change of source. */
  z.strictObject({ type: z.literal('leg.latched'), legId: id, address: z.string(), port }),
  /** No RTP for `silentMs` while sound was expected. Told once per silence. */
  z.strictObject({ type: z.literal('leg.silent'), legId: id, silentMs: z.int() }),
  z.strictObject({ type: z.literal('voice.event'), voiceId: id, event: z.unknown() }),
  /** What the voices' shared parts have to tell; the agent's code parses it. */
  z.strictObject({ type: z.literal('voices.event'), event: z.unknown() }),
  /** Told once: the thread takes commands, and stands where it could be placed on a busy machine. */
  z.strictObject({ type: z.literal('thread.ready'), placed: placedSchema }),
  /** Something inside failed and was contained: the thread goes on. A bug, to be logged and counted. */
  z.strictObject({ type: z.literal('thread.error'), where: z.string(), detail: z.string() }),
]);
export type ThreadEvent = z.infer<typeof eventSchema>;

/** Main -> thread. */
export interface Envelope {
  readonly seq: number;
  readonly command: unknown;
}
/** Thread -> main. */
export type Answer =
  | { readonly seq: number; readonly result: unknown }
  | { readonly seq: number; readonly error: { code: string; detail: string } }
  | { readonly event: unknown };

/** An answer as the main thread parses it, whatever its result is. */
export const answerSchema = z.union([
  z.strictObject({ seq: z.int(), error: z.strictObject({ code: z.string(), detail: z.string() }) }),
  z.strictObject({ seq: z.int(), result: z.unknown() }),
  z.strictObject({ event: z.unknown() }),
]);
export const envelopeSchema = z.strictObject({ seq: z.int(), command: z.unknown() });

/** What a thread is started with. */
export const threadOptionsSchema = z.strictObject({
  name: z.string(),
  /** Which thread it is, from 0, of how many. */
  place: z.int().min(0),
  threads: z.int().min(1),
  /** Local address of the RTP sockets, and what goes into SDP is decided elsewhere. */
  rtpAddress: z.string(),
  /** Inclusive; even ports carry RTP, the next odd one RTCP. Each thread has a range of its own. */
  rtpPortMin: port,
  rtpPortMax: port,
  /** How long a closed port rests before reuse, in ms. */
  quarantineMs: z.int().min(0),
  precedence: precedenceSchema,
  logLevel: z.string(),
  /** Handed to the agent's code as it is. */
  agent: z.unknown(),
});
export type ThreadOptions = z.infer<typeof threadOptionsSchema>;

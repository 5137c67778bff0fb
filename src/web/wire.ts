/**
 * Every message between a browser and the gateway's browser door: the one file that both sides share.
 * Nothing but zod in here, so that the widget can bundle it.
 *
 * The browser asks with Socket.IO acks: `socket.emit(name,
 * payload, (answer) => …)`; the answer is an `Answer`.
 * The gateway tells with events. A message that does not match
 * its schema is refused with WEB_MESSAGE_INVALID.
 * Socket.IO runs under the path `SOCKET_PATH`. The first request on a socket is `join`.
 */
import { z } from 'zod';

export const SOCKET_PATH = '/socket';

/** A socket that was lost may come back for so long, with its `resumeToken`, and is the same participant. */
export const RESUME_WITHIN_MS = 30_000;

/** A page that goes may be one that is loaded anew: so long its visitor counts as on the way back. */
export const RELOAD_WITHIN_MS = 10_000;

const id = z.string().min(1).max(128);
const words = z.string().max(4000);

export const role = z.enum(['visitor', 'human', 'supervisor', 'observer']);
export type Role = z.infer<typeof role>;

/**
 * publish: send sound; hear: receive it; whisper: speak to human agents only; end: hold or end it for all.
 */
export const permission = z.enum(['publish', 'hear', 'whisper', 'end']);
export type Permission = z.infer<typeof permission>;

export const participant = z.object({
  participantId: id,
  /** phone: a caller's leg; agent: an AI agent; otherwise a browser, by its role. */
  kind: z.enum(['phone', 'agent', ...role.options]),
});
export type WireParticipant = z.infer<typeof participant>;

export const producer = z.object({ producerId: id, participantId: id });
export type WireProducer = z.infer<typeof producer>;

// ---- what mediasoup speaks of: bounded here, checked in full by mediasoup itself ----

const parameterValue = z.union([z.string().max(256), z.number(), z.boolean(), z.null()]);
const parameters = z.record(z.string().max(64), parameterValue);
const rtcpFeedback = z.array(
  z.object({ type: z.string().max(32), parameter: z.string().max(32).optional() }),
);
const mediaKind = z.enum(['audio', 'video']);
const payloadType = z.number().int().min(0).max(127);

const codecCapability = z.object({
  kind: mediaKind,
  mimeType: z.string().max(64),
  preferredPayloadType: payloadType.optional(),
  clockRate: z.number().int().min(1).max(192_000),
  channels: z.number().int().min(1).max(8).optional(),
  parameters: parameters.optional(),
  rtcpFeedback: rtcpFeedback.max(16).optional(),
});
const headerExtensionCapability = z.object({
  kind: mediaKind,
  uri: z.string().max(256),
  preferredId: z.number().int().min(1).max(255),
  preferredEncrypt: z.boolean().optional(),
  direction: z.enum(['sendrecv', 'sendonly', 'recvonly', 'inactive']).optional(),
});

export const rtpCapabilities = z.object({
  codecs: z.array(codecCapability).max(64).optional(),
  headerExtensions: z.array(headerExtensionCapability).max(64).optional(),
});
export type WireRtpCapabilities = z.infer<typeof rtpCapabilities>;

const ssrc = z.number().int().min(0).max(0xffffffff);

export const rtpParameters = z.object({
  mid: z.string().max(32).optional(),
  codecs: z
    .array(
      z.object({
        mimeType: z.string().max(64),
        payloadType,
        clockRate: z.number().int().min(1).max(192_000),
        channels: z.number().int().min(1).max(8).optional(),
        parameters: parameters.optional(),
        rtcpFeedback: rtcpFeedback.max(16).optional(),
      }),
    )
    .min(1)
    .max(8),
  headerExtensions: z
    .array(
      z.object({
        uri: z.string().max(256),
        id: z.number().int().min(1).max(255),
        encrypt: z.boolean().optional(),
        parameters: parameters.optional(),
      }),
    )
    .max(32)
    .optional(),
  encodings: z
    .array(
      z.object({
        ssrc: ssrc.optional(),
        rid: z.string().max(32).optional(),
        codecPayloadType: payloadType.optional(),
        rtx: z.object({ ssrc }).optional(),
        dtx: z.boolean().optional(),
        maxBitrate: z.number().int().min(1).max(10_000_000).optional(),
      }),
    )
    .max(1)
    .optional(),
  rtcp: z
    .object({
      cname: z.string().max(128).optional(),
      reducedSize: z.boolean().optional(),
      mux: z.boolean().optional(),
    })
    .optional(),
});
export type WireRtpParameters = z.infer<typeof rtpParameters>;

export const dtlsParameters = z.object({
  role: z.enum(['auto', 'client', 'server']).optional(),
  fingerprints: z
    .array(
      z.object({
        algorithm: z.enum(['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512']),
        value: z
          .string()
          .max(256)
          .regex(/^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})+$/),
      }),
    )
    .min(1)
    .max(8),
});

const iceParameters = z.object({
  usernameFragment: z.string(),
  password: z.string(),
  iceLite: z.boolean().optional(),
});
const iceCandidate = z.object({
  foundation: z.string(),
  priority: z.number(),
  address: z.string(),
  ip: z.string(),
  protocol: z.enum(['udp', 'tcp']),
  port: z.number().int(),
  type: z.enum(['host', 'srflx', 'prflx', 'relay']),
  tcpType: z.enum(['passive']).optional(),
});
const iceServer = z.object({
  urls: z.array(z.string()),
  username: z.string().optional(),
  credential: z.string().optional(),
});

// ---- questions of the browser, each with its answer ----

const nothing = z.strictObject({});

/** By a token of the tenant's server, by the site's public key, or back after the socket was lost. */
const join = z.union([
  z.strictObject({ token: z.string().min(1).max(4096) }),
  z.strictObject({ widgetKey: z.string().min(1).max(128), profile: id }),
  z.strictObject({ resumeToken: z.string().min(1).max(128) }),
]);

const joined = z.object({
  participantId: id,
  roomId: id,
  role,
  permissions: z.array(permission),
  /** What to produce: opus in a room of browsers, pcmu in a room that holds a phone. */
  codec: z.enum(['opus', 'pcmu']),
  routerRtpCapabilities: rtpCapabilities,
  iceServers: z.array(iceServer),
  iceTransportPolicy: z.enum(['all', 'relay']),
  /** Who is here, without oneself. */
  participants: z.array(participant),
  /** What can be consumed now. */
  producers: z.array(producer),
  /** For `join` on a new socket; another one each time. */
  resumeToken: z.string(),
  /** True: the participant was here before, and its transports are as they were. */
  resumed: z.boolean(),
});
export type Joined = z.infer<typeof joined>;

const transportMade = z.object({
  transportId: id,
  iceParameters,
  iceCandidates: z.array(iceCandidate),
  dtlsParameters,
});

const consuming = z.object({
  consumerId: id,
  producerId: id,
  participantId: id,
  kind: mediaKind,
  rtpParameters,
});

/** `send` carries the microphone, `receive` everybody else. */
export const direction = z.enum(['send', 'receive']);

/** Question name -> what the browser sends, and what it gets back when all is well. */
export const REQUESTS = {
  join: { ask: join, result: joined },
  /** A transport for a direction; the one that was there before for this direction is closed. */
  'transport.create': { ask: z.strictObject({ direction }), result: transportMade },
  'transport.connect': { ask: z.strictObject({ transportId: id, dtlsParameters }), result: nothing },
  'transport.restartIce': {
    /** `pathLost`: the browser has noticed by itself that nothing passes any more. */
    ask: z.strictObject({ transportId: id, pathLost: z.boolean().optional() }),
    /** With TURN credentials that are good for another while: those of `join` may have expired. */
    result: z.object({ iceParameters, iceServers: z.array(iceServer) }),
  },
  /** The microphone, on the `send` transport; a second one takes the place of the first. */
  produce: { ask: z.strictObject({ transportId: id, rtpParameters }), result: z.object({ producerId: id }) },
  /** Mute. */
  'producer.pause': { ask: z.strictObject({ producerId: id }), result: nothing },
  'producer.resume': { ask: z.strictObject({ producerId: id }), result: nothing },
  'producer.close': { ask: z.strictObject({ producerId: id }), result: nothing },
  /** Comes paused, on the `receive` transport: resume it once the browser has its receiver. */
  consume: { ask: z.strictObject({ producerId: id, rtpCapabilities }), result: consuming },
  'consumer.pause': { ask: z.strictObject({ consumerId: id }), result: nothing },
  'consumer.resume': { ask: z.strictObject({ consumerId: id }), result: nothing },
  /** A supervisor: hears only, speaks to human agents alone, or to everybody. */
  mode: { ask: z.strictObject({ mode: z.enum(['listen', 'whisper', 'barge']) }), result: nothing },
  /** A human agent: the callers hear music, and nobody hears them, until it is taken back. */
  hold: { ask: z.strictObject({ held: z.boolean() }), result: nothing },
  /** A human agent gives the call back to the AI agent, and leaves. */
  handBack: { ask: nothing, result: nothing },
  /** Ends the call for everybody. */
  end: { ask: nothing, result: nothing },
  /** Hang up. `ending` follows, then the socket is closed. */
  leave: { ask: nothing, result: nothing },
  /**
   * The page goes, and nobody knows whether it is closed or loaded anew. The socket is closed; who comes back
   * with the resume token within RELOAD_WITHIN_MS goes on, who does not has left. Sound of its own ends now.
   */
  'page.gone': { ask: nothing, result: nothing },
} as const;

export type RequestName = keyof typeof REQUESTS;
export type Ask<N extends RequestName> = z.infer<(typeof REQUESTS)[N]['ask']>;
export type Result<N extends RequestName> = z.infer<(typeof REQUESTS)[N]['result']>;

/** What a page may have to tell its reader; docs/ERRORS.md says what each means. */
export const refusal = z.object({ ok: z.literal(false), code: z.string(), message: z.string() });
export type Refusal = z.infer<typeof refusal>;
export type Answer<N extends RequestName> = ({ readonly ok: true } & Result<N>) | Refusal;

// ---- what the gateway tells ----

export const EVENTS = {
  'participant.joined': participant,
  'participant.left': z.object({ participantId: id }),
  /** Consume it to hear it. Never one's own. */
  'producer.added': producer,
  'producer.removed': producer,
  /** Somebody began or ceased to speak; also oneself. */
  speaking: z.object({ participantId: id, speaking: z.boolean() }),
  /** Partial texts of one utterance replace each other; `final` is the last of an `utteranceId`. */
  caption: z.object({
    who: z.enum(['agent', 'visitor']),
    text: words,
    final: z.boolean(),
    utteranceId: id,
  }),
  tool: z.object({ name: id, state: z.enum(['started', 'done', 'failed']) }),
  /** A transport has lost its peer: ask `transport.restartIce` for it. */
  'ice.restart': z.object({ transportId: id }),
  /** The worker was lost: all transports, producers and consumers are gone; make them again. */
  'room.moved': z.object({ routerRtpCapabilities: rtpCapabilities, producers: z.array(producer) }),
  /** It is over for this participant; `slug` is one of the endings of docs/ERRORS.md. */
  ending: z.object({ slug: z.string(), text: words }),
} as const;

export type EventName = keyof typeof EVENTS;
export type EventPayload<N extends EventName> = z.infer<(typeof EVENTS)[N]>;

/** For Socket.IO's own typing of a client: `Socket<ServerToClient, ClientToServer>`. */
export type ServerToClient = { [N in EventName]: (payload: EventPayload<N>) => void };
export type ClientToServer = {
  [N in RequestName]: (ask: Ask<N>, answer: (answer: Answer<N>) => void) => void;
};

/** Every bound of the embedded SIP server, with its unit. What meets one is refused, counted and logged. */
export const LIMITS = {
  /** One SIP message, start line to end of body: what fits a UDP datagram. Longer on a stream: 513. */
  messageBytesMax: 65_507,
  headersMax: 256,
  /** SIP connections (TCP and TLS, both directions). */
  connectionsMax: 2_048,
  /** Unsent bytes of one SIP connection; a peer that reads slower is cut off. */
  connectionBacklogBytesMax: 1_048_576,
  connectTimeoutMs: 10_000,
  /** A stream that stops in the middle of a message. */
  partialMessageMs: 32_000,
  connectionIdleMs: 1_200_000,
  transactionsMax: 20_000,
  dialogsMax: 10_000,
  /** Branches of one forked INVITE that are told apart before one of them answers. */
  forksMax: 8,
  /** Reliable provisional responses of one INVITE that wait for the PRACK of an earlier one. */
  provisionalsQueuedMax: 8,
  applicationsMax: 64,
  routesPerApplicationMax: 64,
  authenticateMs: 10_000,
  /** drachtio-server takes five digits of length from an application, and so does this one. */
  frameBytesMax: 99_999,
  frameDigitsMax: 5,
  /** Unsent bytes of one application; one that reads slower is cut off. */
  applicationBacklogBytesMax: 67_108_864,
  socketBufferBytes: 4_194_304,
  resolverEntriesMax: 1_024,
  resolverEntryMs: 30_000,
  /** RFC 3261 §8.1.1.5. */
  sequenceMax: 2_147_483_647,
} as const;

/**
 * Every failure a user can meet: a code, what happened, and what to do about it.
 * docs/ERRORS.md carries one row per code; test/tidy.test.ts fails when a row is missing.
 */
export const ERROR_CATALOGUE = {
  CONFIG_UNREADABLE: 'The configuration file cannot be read: check the path and its permissions.',
  CONFIG_SYNTAX: 'The configuration file is not valid YAML: mend the line that is named.',
  CONFIG_INVALID: 'A configuration key is unknown or its value is out of range: mend the key that is named.',
  WORKER_BINARY_MISSING: 'The mediasoup worker cannot be started: run `npm run setup`.',
  SIP_PORT_IN_USE: 'A SIP port is taken by another program: stop it, or change sip.listen.',
  SIP_SERVER_UNREACHABLE: 'drachtio-server cannot be reached: check sip.drachtio.host, port and secret.',
  RTP_PORTS_EXHAUSTED: 'No RTP port is free: widen media.rtpPorts or lower limits.calls.',
  SDP_UNPARSABLE: 'The session description is not valid SDP (RFC 4566).',
  SDP_NO_AUDIO: 'The session description offers no audio that this gateway can take.',
  SDP_NO_COMMON_CODEC: 'Caller and gateway share no codec: allow PCMU or PCMA on the trunk.',
  MEDIA_COMMAND_INVALID: 'A media thread got a command it does not know: this is a bug, report it.',
  MEDIA_COMMAND_TIMEOUT:
    'A media thread gave no answer in time: it is overloaded or stuck; the log holds more.',
  MEDIA_NOT_OPEN: 'A leg, link, player or voice is not open in its media thread: it was closed meanwhile.',
  MEDIA_FAILED: 'A media thread failed at a command: the log holds the cause.',
  MEDIA_FILE_UNPLAYABLE:
    'A sound file cannot be played: give 8 kHz mono WAV (16 bit or G.711), or raw G.711.',
  OPUS_UNAVAILABLE:
    'A track in Opus cannot be heard or sent, because libopus is missing: run `npm run setup`.',
  SOUND_NOT_FIRST:
    'Linux does not let sound go first on a busy machine: see media.precedence for the rights it wants.',
  MEDIA_THREAD_DIED: 'A media thread stopped: its calls were ended; the log holds the cause.',
  SFU_CLOSED: 'The gateway is stopping: mediasoup takes no more rooms.',
  ROOM_CLOSED: 'The room is closed: the call ended, or the gateway is stopping.',
  ROOM_FULL: 'The room has as many participants as one room may have.',
  SPEECH_UNAVAILABLE: 'The offline speech parts cannot be started: run `npm run setup`.',
  PROFILE_UNSPEAKABLE:
    'An agent profile cannot be used by the offline voice: mend the word or key that is named.',
  VOICE_COMMAND_INVALID: 'A voice got a command it does not know: this is a bug, report it.',
  MODEL_UNAVAILABLE: 'The voice model cannot be reached: check its address and key.',
  TRANSCRIPTION_FAILED:
    'No transcription server could write down what the caller said: check pipeline.transcription.',
  CHAT_FAILED: 'No chat server gave an answer: check pipeline.chat.',
  SYNTHESIS_FAILED: 'No speech server could say the answer: check pipeline.speech.',
  RECORDING_FAILED: 'A recording cannot be written: check the data folder, its space and permissions.',
  TOOL_UNKNOWN: 'The agent asked for a tool that its profile does not list.',
  TOOL_ARGUMENTS_INVALID: 'The agent gave a tool arguments that do not match its schema.',
  TOOL_FAILED: 'A tool failed: the log holds the cause.',
  TOOL_TIMEOUT: 'A tool took longer than it may: what it depends on is slow or gone.',
  TOOL_TOO_MANY: 'The agent asked for more tools at once than a call may have under way.',
  TOOL_ADDRESS_REFUSED:
    'A tool would have to reach an address that is not public: name its network in tools.networks.',
  TOOL_SCHEMA_INVALID: 'The arguments of a tool are not described by a JSON Schema of an object: mend it.',
  WEB_PORT_IN_USE: 'The browser port is taken by another program: stop it, or change web.port.',
  WEB_ORIGIN_REFUSED: 'This site may not use the gateway: add its origin to a widget key.',
  WEB_SOCKETS_EXHAUSTED:
    'This address has as many connections as it may have: close some, or raise the limit.',
  WEB_MESSAGE_INVALID: 'A message is not one of the wire messages: compare widget and gateway versions.',
  WEB_TOO_FAST: 'Messages come faster than they are taken: slow down.',
  WEB_NOT_JOINED: 'A socket must join before it asks for anything else, and only once.',
  WEB_TOKEN_INVALID: 'The token is not valid here, or its time is over: ask for a new one.',
  WEB_KEY_INVALID: 'The key is not known, or not for this site or profile: check the configuration.',
  WEB_RESUME_TOO_LATE: 'The participant cannot be resumed: its time is over. Join anew.',
  WEB_FORBIDDEN: 'The participant may not do this: its token does not permit it.',
  WEB_NOT_FOUND: 'There is no such room, transport, producer or consumer: it was closed meanwhile.',
  WEB_MEDIA_REFUSED: 'The sound cannot be sent or received as asked: the codec or its settings do not fit.',
  WEB_FAILED: 'Something went wrong on our side: try again; the log holds the cause.',
  WEB_FULL: 'No visitor can be taken now: the limit is reached, or the gateway is stopping.',
  API_KEY_INVALID: 'The API key is missing, unknown, revoked or out of date: send one that is live.',
  API_FORBIDDEN: 'The API key does not hold the scope that this needs: make one that does.',
  OPERATOR_KEY_INVALID:
    'The operator key is missing or not known: see operator-key in the data folder, or operator.keys.',
  API_NOT_FOUND: 'There is no such thing here.',
  API_TOO_FAST: 'Requests come faster than they are taken: slow down.',
  API_REQUEST_INVALID: 'The request does not match its schema: see /v1/openapi.json.',
  API_FAILED: 'Something went wrong on our side: try again; the log holds the cause.',
  STORE_UNAVAILABLE: 'The database cannot be reached now: work waits and is tried again; check database.url.',
  STORE_MIGRATION_INVALID:
    'The database does not match this version: use the version that made it, or a newer one.',
  STORE_FOLDER_TAKEN:
    'The data folder is in use by another gateway: stop it, or give this one its own data_dir.',
  GATEWAY_UNKNOWN:
    'No gateway of this name was ever heard of here: take it from the list, by a gateway with its tenants.',
  GATEWAY_IS_THIS:
    'The gateway that is asked lives: its next start ends what it leaves open; ask another one.',
  GATEWAY_HEARD:
    'The gateway was heard of a moment ago: wait until it is silent, or say evenIfHeard if you know better.',
  STORE_CURSOR_INVALID: 'The page cursor was not made by this gateway: begin with the first page.',
  STORE_KEY_REUSED: 'The idempotency key was used for another request: use a new key for each.',
  JOBS_UNAVAILABLE: 'Jobs are not taken now: Redis is away, or the spool is full; the log says which.',
  JOB_PAYLOAD_INVALID: 'A job has a payload that its queue cannot read: replay it with a version that can.',
  DESK_CALL_TAKEN: 'The call does not ring here any more: a colleague was quicker, or the caller is gone.',
  DESK_SIGNED_OUT: 'The desk is not signed in any more: sign in again.',
  DESK_FULL: 'The tenant has as many desks signed in as it may have: sign one out.',
  ADDRESS_FORBIDDEN: 'The address may not be reached from here: use a public https:// address, or allow it.',
  PROVIDER_REFUSED: 'A provider refused what it was asked: mend what it names; trying again would not help.',
  PROVIDER_UNAVAILABLE: 'A provider cannot be reached or has no capacity: it is tried again by itself.',
  PROVIDER_UNCLEAR:
    'A provider was lost before it answered: it is not known whether it did what it was asked.',
  SMS_DAY_LIMIT_REACHED: 'The tenant has sent as many text messages today as it may.',
  TENANT_CALLS_FULL: 'The tenant has as many calls at a time as it may have: raise calls_max in limits.',
  TENANT_CALLS_TOO_FAST:
    'Calls of the tenant come faster than they may: raise calls_per_second_max in limits.',
  TENANT_VISITS_FULL: 'The site has as many visits at a time as it may have: try again later.',
  TENANT_VISITS_TOO_FAST: 'Visits of the site come faster than it may have them: try again in a minute.',
  TENANT_MINUTES_SPENT: 'The tenant has talked as many minutes today as it may: try again tomorrow.',
  SMS_TEXT_INVALID: 'A text message cannot be made: give every place of the template a value, or shorten it.',
  SIGNATURE_INVALID: 'A webhook is not signed as it should be: compare the secret or public key.',
  CALENDAR_UNREADABLE: 'A calendar answered with something that is no calendar: check its address.',
} as const;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CATALOGUE, code);
}

/** A failure with a code of the catalogue. `detail` says what was met; secrets never go into it. */
export class TrunklineError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;

  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}. ${ERROR_CATALOGUE[code]}`, options);
    this.name = 'TrunklineError';
    this.code = code;
    this.detail = detail;
  }
}

/** The sentence of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

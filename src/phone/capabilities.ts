/** What this SIP endpoint can do, as it says in headers. */
export const ALLOWED_METHODS: readonly string[] = [
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'OPTIONS',
  'INFO',
  'UPDATE',
  'PRACK',
  'NOTIFY',
];
/** Option tags (RFC 3261 §27.1) that a caller may require. */
export const SUPPORTED_EXTENSIONS: readonly string[] = ['100rel', 'timer'];

export const CAPABILITY_HEADERS: Readonly<Record<string, string>> = {
  Allow: ALLOWED_METHODS.join(', '),
  Supported: SUPPORTED_EXTENSIONS.join(', '),
};
/** What OPTIONS is answered with (RFC 3261 §11.2). */
export const OPTIONS_HEADERS: Readonly<Record<string, string>> = {
  ...CAPABILITY_HEADERS,
  Accept: 'application/sdp, application/dtmf-relay, application/dtmf',
  'Accept-Encoding': 'identity',
  'Accept-Language': 'en',
};

/** When to try again after 503, in seconds (RFC 3261 §21.5.4). */
export const RETRY_AFTER_S = 10;

/** The tokens of a comma-separated header, lower case. */
export function tokensOf(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((token) => token.trim().toLowerCase())
    .filter((token) => token !== '');
}

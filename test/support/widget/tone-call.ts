/** What a test and its page agree on: apart from both, because one has no DOM and the other no Node. */

export interface ToneCall {
  readonly credentials: { readonly widgetKey: string; readonly profile: string } | { readonly token: string };
  /** What the visitor's microphone sounds. */
  readonly frequencyHz: number;
  /** The only way to a relay that this browser's network leaves; absent: every way is open. */
  readonly relayProtocol?: 'udp' | 'tcp' | 'tls';
}

/** How sound goes: our own end of a selected candidate pair. */
export interface Path {
  /** `host`, `srflx`, `prflx` or `relay`. */
  readonly local: string;
  /** Between browser and relay: `udp`, `tcp` or `tls`; empty where there is no relay. */
  readonly relayProtocol: string;
}

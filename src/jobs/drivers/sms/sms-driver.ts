/** Who carries short messages, and what comes back from them. */

export interface OutgoingText {
  /** Ours; goes with the message wherever a provider lets it, so that receipts find their way. */
  readonly messageId: string;
  /** E.164. */
  readonly to: string;
  /** A number in E.164, a short code, or up to 11 letters. */
  readonly from: string;
  readonly body: string;
  readonly signal?: AbortSignal | undefined;
}

export interface SmsDriver {
  readonly name: string;
  /** Hands the text over; returns what the provider calls it. @throws ProviderFailure */
  send(text: OutgoingText): Promise<string>;
  /**
   * Whether a text reached the provider whose sending had no answer: the provider's id, or null when it did
   * not. `taken`: ids of other messages of ours, which may say the same. Drivers whose provider cannot tell
   * have no such method: they wait for a receipt.
   * @throws ProviderFailure
   */
  find?(text: OutgoingText, since: Date, taken: ReadonlySet<string>): Promise<string | null>;
  close(): Promise<void>;
}

/** What a provider says about a message, whatever the provider. */
export type SmsNotice =
  | {
      readonly type: 'receipt';
      /** Ours, where the provider brought it back. */
      readonly messageId: string | undefined;
      readonly providerMessageId: string;
      readonly status: ReceiptStatus;
      readonly errorCode: string | undefined;
      /** SMPP: what the message's id comes down to in 16 bits, and the number that it went to. */
      readonly reference?: number;
      readonly from?: string;
    }
  | {
      readonly type: 'received';
      readonly providerMessageId: string;
      readonly from: string;
      readonly to: string;
      readonly text: string;
    };

export type ReceiptStatus = 'sent' | 'delivered' | 'undelivered' | 'failed';

/** A webhook as it came in. */
export interface InboundRequest {
  /** As the provider called it: scheme, host, path and query. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** As it came: signatures are over octets. */
  readonly body: string;
}

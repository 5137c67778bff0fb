/** SIP requests without a SIP server: for the steps that only read them. */
import type { RawHeaders, RawRequest, RawResponse } from '../../../src/phone/drachtio.ts';
import { SipRequest } from '../../../src/phone/sip-request.ts';

export interface RequestParts {
  readonly method?: string;
  readonly uri?: string;
  readonly sourceAddress?: string;
  /** Beside or in place of the usual ones; `''` leaves one out. */
  readonly headers?: RawHeaders;
  readonly body?: string;
  readonly payload?: RawRequest['payload'];
}

export interface SentResponse {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: string | undefined;
}

/** A request, the responses that were sent to it, and its CANCEL. */
export function requestOf(parts: RequestParts = {}): {
  request: SipRequest;
  sent: SentResponse[];
  cancel: () => void;
} {
  const { method = 'INVITE', uri = 'sip:+15550100@gateway', sourceAddress = '127.0.0.1', body } = parts;
  const usual: RawHeaders = {
    'call-id': 'one@test',
    cseq: `1 ${method}`,
    from: '<sip:+15550199@phone>;tag=a',
    to: `<${uri}>`,
    contact: '<sip:phone@127.0.0.1:5080>',
    ...(body === undefined ? {} : { 'content-type': 'application/sdp' }),
  };
  const given = Object.entries(parts.headers ?? {}).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  );
  const headers = new Map([...Object.entries(usual), ...given].filter(([, value]) => value !== ''));
  for (const [name, value] of given) if (value === '') headers.delete(name);
  const cancels: (() => void)[] = [];
  const sent: SentResponse[] = [];
  const request: RawRequest = {
    method,
    uri,
    source_address: sourceAddress,
    source_port: 5080,
    protocol: 'udp',
    socket: undefined,
    get: (name) => headers.get(name.toLowerCase()),
    once: (_event, listener) => void cancels.push(listener),
    ...(body === undefined ? {} : { body }),
    ...(parts.payload === undefined ? {} : { payload: parts.payload }),
  };
  let final = false;
  const response: RawResponse = {
    get finalResponseSent() {
      return final;
    },
    send(status, options) {
      final ||= status >= 200;
      sent.push({ status, headers: options.headers ?? {}, body: options.body });
    },
  };
  const cancel = (): void => {
    for (const listener of cancels) listener();
  };
  return { request: new SipRequest(request, response), sent, cancel };
}

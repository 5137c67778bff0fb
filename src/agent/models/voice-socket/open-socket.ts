/** The WebSocket to a model's server: where it is, how it is opened, and what a refusal means. */
import { WebSocket } from 'ws';
import { messageOf } from '../../../base/errors.ts';
import { ConnectError } from '../connect-error.ts';
import { message_bytes_max } from './limits.ts';

/**
 * `https://host/v1` -> `wss://host/v1/<path>`; http, ws and wss likewise.
 * @throws TrunklineError MODEL_UNAVAILABLE when the address is none
 */
export function endpointUrl(baseUrl: string, path: string): URL {
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch (error) {
    throw new ConnectError(`"${baseUrl}" is not an address`, false, { cause: error });
  }
  const protocol = { 'http:': 'ws:', 'ws:': 'ws:', 'https:': 'wss:', 'wss:': 'wss:' }[url.protocol];
  if (protocol === undefined)
    throw new ConnectError(`"${baseUrl}" must begin with ws:, wss:, http: or https:`, false);
  url.protocol = protocol;
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`;
  return url;
}

export interface OpenSocketOptions {
  readonly url: URL;
  readonly apiKey: string;
  readonly timeoutMs: number;
}

/**
 * Opens the socket; it is paused, so that nothing is lost before somebody listens.
 * @throws ConnectError refused (HTTP status), unreachable, or too slow
 */
export function openSocket(options: OpenSocketOptions): Promise<WebSocket> {
  const socket = new WebSocket(options.url, {
    headers: options.apiKey === '' ? {} : { authorization: `Bearer ${options.apiKey}` },
    // Base64 of sound does not shrink, and zlib costs memory and time per socket.
    perMessageDeflate: false,
    followRedirects: false,
    handshakeTimeout: options.timeoutMs,
    maxPayload: message_bytes_max,
  });
  const where = options.url.host;
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      socket.removeAllListeners();
      act();
    };
    const refuse = (error: ConnectError): void =>
      settle(() => {
        // `terminate` on a socket that is still connecting reports an error of its own.
        socket.on('error', () => undefined);
        socket.terminate();
        reject(error);
      });
    socket.once('open', () =>
      settle(() => {
        socket.pause();
        resolve(socket);
      }),
    );
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      refuse(refusal(where, response.statusCode ?? 0, response.headers['retry-after']));
    });
    socket.once('error', (error) => {
      const slow = error.message.includes('handshake has timed out');
      const what = slow ? `no answer within ${options.timeoutMs} ms` : messageOf(error);
      refuse(new ConnectError(`${where}: ${what}`, true, { cause: error }));
    });
    socket.once('close', () => refuse(new ConnectError(`${where}: closed while connecting`, true)));
  });
}

function refusal(where: string, status: number, retryAfter: string | undefined): ConnectError {
  if (status === 401 || status === 403)
    return new ConnectError(`${where} refused the API key (HTTP ${status})`, false);
  if (status === 429) {
    const wait = retryAfter === undefined ? '' : `, retry after ${retryAfter.slice(0, 32)} s`;
    return new ConnectError(`${where} is over its rate limit (HTTP 429${wait})`, true);
  }
  return new ConnectError(`${where} answered HTTP ${status} instead of a WebSocket`, status >= 500);
}

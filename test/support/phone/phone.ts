/**
 * A telephone without a person: real SIP, real RTP, through the same public ports as any caller.
 *
 *     const phone = await TestPhone.start();
 *     const call = await phone.dial({ to: '+15550100', target: '127.0.0.1:5060' });
 *     await call.agentSilenceFor(800);
 *     await call.play(await speak('I would like an appointment tomorrow at ten'));
 *     await call.hangUp();
 *     await phone.close();
 */
import type { Codec } from '../../../src/media/frame.ts';
import { PhoneCall } from './call.ts';
import { RtpEndpoint } from './rtp-endpoint.ts';
import { writeOffer } from './sdp.ts';
import { SipStack, type PhoneTransport } from './sip-stack.ts';

export interface DialOptions {
  /** The number to call. */
  readonly to: string;
  /** `host:port` of the gateway's SIP. */
  readonly target: string;
  /** What the phone can speak, best first; PCMU when nothing is said. */
  readonly codec?: Codec;
  /** The caller's own number. */
  readonly from?: string;
  readonly auth?: { readonly username: string; readonly password: string };
  readonly headers?: Record<string, string>;
  /** Gives the call up while it rings. */
  readonly signal?: AbortSignal;
  readonly onRinging?: () => void;
}

export class TestPhone {
  readonly #stack: SipStack;
  readonly #transport: PhoneTransport;
  readonly #calls = new Set<PhoneCall>();

  private constructor(stack: SipStack, transport: PhoneTransport) {
    this.#stack = stack;
    this.#transport = transport;
  }

  static async start(options: { transport?: PhoneTransport } = {}): Promise<TestPhone> {
    const transport = options.transport ?? 'udp';
    return new TestPhone(await SipStack.start(transport), transport);
  }

  /** Resolves when the far end answered. Rejects with CallRefused when it did not. */
  async dial(options: DialOptions): Promise<PhoneCall> {
    const { to, target, codec = 'pcmu', from = '+15550199', auth, headers = {}, signal } = options;
    const rtp = await RtpEndpoint.open(codec);
    try {
      const dialog = await this.#stack.invite({
        uri: `sip:${to}@${target}${this.#transport === 'udp' ? '' : `;transport=${this.#transport}`}`,
        sdp: writeOffer({ port: rtp.port, codecs: [codec] }),
        headers: { From: `<sip:${from}@localhost>`, ...headers },
        ...(auth === undefined ? {} : { auth }),
        onSent: (cancel) => signal?.addEventListener('abort', cancel, { once: true }),
        onProvisional: (status) => {
          if (status === 180 || status === 183) options.onRinging?.();
        },
      });
      const call = new PhoneCall(dialog, rtp, codec);
      this.#calls.add(call);
      void call.ended.then(() => this.#calls.delete(call));
      return call;
    } catch (error) {
      rtp.close();
      throw error;
    }
  }

  /** Hangs up what is still open. */
  async close(): Promise<void> {
    await Promise.all([...this.#calls].map((call) => call.hangUp()));
    await this.#stack.close();
  }
}

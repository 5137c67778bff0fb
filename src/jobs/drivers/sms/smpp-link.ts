/**
 * One bound connection to a message centre (SMPP 3.4, bind_transceiver), kept up for ever.
 *
 *              connect ok, bind ok
 *   connecting ───────────────────> bound
 *       ^  │ refused, lost, no answer  │ lost, or an enquire_link without answer
 *       │  v                           v
 *      waiting <───────────────────────┘      close: from every state to closed.
 *
 * Waiting grows from one second to a minute. What was asked and not answered when the connection is lost is
 * `unclear`; what waited for its turn in the window goes out on the next connection.
 */
import smpp, { type PDU, type PduFields, type Session } from 'smpp';
import { systemClock, type Clock } from '../../../base/clock.ts';
import { messageOf } from '../../../base/errors.ts';
import { Events } from '../../../base/events.ts';
import { ProviderFailure } from '../provider-failure.ts';

export interface SmppLinkOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly systemId: string;
  readonly password: string;
  readonly systemType: string;
  /** Requests without answer at a time; centres close connections that ask for more. */
  readonly windowMax: number;
  /** Longest wait for an answer, and for a connection, in ms. */
  readonly answerTimeoutMs: number;
  /** A sign of life is asked for after so much silence, in ms. */
  readonly enquireEveryMs: number;
  readonly clock?: Clock;
}

export interface SmppLinkEvents {
  bound: undefined;
  /** The connection is gone; why. */
  lost: string;
  /** A deliver_sm; it is answered by `answer`, once what it says is kept. */
  deliver: { readonly pdu: PDU; readonly answer: (commandStatus: number) => void };
}

type State = 'connecting' | 'bound' | 'waiting' | 'closed';

const BACKOFF_FIRST_MS = 1000;
const BACKOFF_MAX_MS = 60_000;
const SMPP_3_4 = 0x34;

/** A request that went out. */
interface Open {
  readonly reject: (failure: ProviderFailure) => void;
}

/** A request that has not gone out yet. */
interface Waiter {
  readonly go: () => void;
  readonly giveUp: () => void;
}

export class SmppLink {
  readonly events = new Events<SmppLinkEvents>();
  readonly #options: SmppLinkOptions;
  readonly #clock: Clock;
  #state: State = 'connecting';
  #session: Session | undefined;
  #backoffMs = BACKOFF_FIRST_MS;
  #stopTimer: () => void = () => undefined;
  readonly #open = new Set<Open>();
  /** Who waits for a place in the window, or for a connection. */
  readonly #waiting = new Set<Waiter>();
  #placesTaken = 0;

  private constructor(options: SmppLinkOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Begins to connect, and returns at once: a message centre that is away is no reason not to start. */
  static start(options: SmppLinkOptions): SmppLink {
    const link = new SmppLink(options);
    link.#connect();
    return link;
  }

  get state(): State {
    return this.#state;
  }

  /**
   * Asks and resolves with the answer, whatever its command_status.
   * @throws ProviderFailure `unavailable` when there is no connection in time, `unclear` when it was lost
   * after   the question had gone out
   */
  async request(command: string, fields: PduFields): Promise<PDU> {
    await this.#takePlace();
    try {
      const session = this.#session;
      if (session === undefined) throw unavailable('not connected');
      return await this.#ask(session, new smpp.PDU(command, fields));
    } finally {
      this.#placesTaken -= 1;
      this.#fillWindow();
    }
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#stopTimer();
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) {
      // Politely, as far as it goes: nobody waits for the answer.
      session.send(new smpp.PDU('unbind'));
      session.close();
    }
    this.#abandon('the link was closed');
    for (const waiter of this.#waiting) waiter.giveUp();
    this.#waiting.clear();
  }

  #connect(): void {
    this.#state = 'connecting';
    const { host, port, tls, systemId, password, systemType } = this.#options;
    const session = smpp.connect({ host, port, tls });
    const lose = (reason: string): void => this.#lose(session, reason);
    session.on('error', (error: unknown) => lose(messageOf(error)));
    session.on('close', () => lose('the connection was closed'));
    session.on('unbind', (pdu: PDU) => {
      session.send(pdu.response());
      lose('the message centre unbound us');
    });
    session.on('enquire_link', (pdu: PDU) => session.send(pdu.response()));
    session.on('deliver_sm', (pdu: PDU) => this.#deliver(session, pdu));
    this.#session = session;
    this.#after(this.#options.answerTimeoutMs, () => lose('no connection in time'));
    session.once(tls ? 'secureConnect' : 'connect', () => {
      const bind = { system_id: systemId, password, system_type: systemType, interface_version: SMPP_3_4 };
      this.#ask(session, new smpp.PDU('bind_transceiver', bind)).then(
        (answer) => {
          if (answer.command_status === 0) this.#bound(session);
          else lose(`bind refused with status ${answer.command_status}`);
        },
        (error: unknown) => lose(messageOf(error)),
      );
    });
  }

  #bound(session: Session): void {
    if (session !== this.#session || this.#state !== 'connecting') return;
    this.#state = 'bound';
    this.#backoffMs = BACKOFF_FIRST_MS;
    this.#enquireLater(session);
    this.events.emit('bound', undefined);
    this.#fillWindow();
  }

  #enquireLater(session: Session): void {
    this.#after(this.#options.enquireEveryMs, () => {
      this.#ask(session, new smpp.PDU('enquire_link')).then(
        () => {
          if (this.#session === session && this.#state === 'bound') this.#enquireLater(session);
        },
        (error: unknown) => this.#lose(session, messageOf(error)),
      );
    });
  }

  #lose(session: Session, reason: string): void {
    if (session !== this.#session || this.#state === 'closed') return;
    this.#session = undefined;
    this.#state = 'waiting';
    session.destroy();
    this.#abandon(reason);
    this.events.emit('lost', reason);
    // A half to the whole of it, so that many workers do not come back at once.
    const pauseMs = this.#backoffMs * (0.5 + Math.random() / 2);
    this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MAX_MS);
    this.#after(pauseMs, () => this.#connect());
  }

  #ask(session: Session, pdu: PDU): Promise<PDU> {
    const { promise, resolve, reject } = Promise.withResolvers<PDU>();
    const open: Open = { reject };
    this.#open.add(open);
    const stop = this.#clock.after(this.#options.answerTimeoutMs, () =>
      this.#lose(session, `no answer to ${pdu.command}`),
    );
    const settled = promise.finally(() => {
      stop();
      this.#open.delete(open);
    });
    if (!session.send(pdu, resolve)) reject(unavailable('the connection is closing'));
    return settled;
  }

  /** Takes a place in the window of a bound connection; gives up in good time. */
  #takePlace(): Promise<void> {
    if (this.#state === 'closed') return Promise.reject(unavailable('the link is closed'));
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const stop = this.#clock.after(this.#options.answerTimeoutMs, () => {
      this.#waiting.delete(waiter);
      reject(unavailable(`${this.#state}, no turn in time`));
    });
    const waiter: Waiter = {
      go: () => {
        stop();
        resolve(undefined);
      },
      giveUp: () => {
        stop();
        reject(unavailable('the link was closed'));
      },
    };
    this.#waiting.add(waiter);
    this.#fillWindow();
    return promise;
  }

  #fillWindow(): void {
    for (const waiter of this.#waiting) {
      if (this.#state !== 'bound' || this.#placesTaken >= this.#options.windowMax) return;
      this.#waiting.delete(waiter);
      this.#placesTaken += 1;
      waiter.go();
    }
  }

  #deliver(session: Session, pdu: PDU): void {
    const answer = (status: number): void => {
      session.send(pdu.response({ command_status: status }));
    };
    // Nobody keeps it: the message centre is to try again later (ESME_RX_T_APPN).
    if (!this.events.emit('deliver', { pdu, answer })) answer(0x64);
  }

  #abandon(reason: string): void {
    for (const open of this.#open) open.reject(new ProviderFailure('unclear', `smpp: ${reason}`));
  }

  #after(delayMs: number, fire: () => void): void {
    this.#stopTimer();
    this.#stopTimer = this.#clock.after(delayMs, fire);
  }
}

function unavailable(why: string): ProviderFailure {
  return new ProviderFailure('unavailable', `smpp: ${why}`);
}

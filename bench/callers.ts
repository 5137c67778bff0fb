/**
 * Many callers in one process of their own: SIP on one socket, RTP on one socket per call, one clock for all.
 * Started by the bench with `fork`; orders and answers are in bench/messages.ts.
 */
import { FRAME_MS } from '../src/media/frame.ts';
import { putFirst } from '../src/base/precedence.ts';
import {
  callersOptionsSchema,
  orderSchema,
  type Answer,
  type CallersOptions,
  type Measurements,
} from './messages.ts';
import { RtpCall } from './rtp-call.ts';
import { SipClient } from './sip-client.ts';

/** Calls send in turn, so that 200 packets do not leave in one burst. */
const slots = 10;
const slot_ms = FRAME_MS / slots;

class Callers {
  readonly #options: CallersOptions;
  readonly #sip: SipClient;
  readonly #calls = new Map<string, RtpCall>();
  readonly #slots: Set<RtpCall>[] = Array.from({ length: slots }, () => new Set<RtpCall>());
  readonly #timings: Measurements = emptyMeasurements();
  readonly #beganMs = performance.now();
  #slotsDone = 0;
  #opened = 0;
  readonly #timer: NodeJS.Timeout;

  static async open(options: CallersOptions): Promise<Callers> {
    return new Callers(options, await SipClient.open(options.sipPort));
  }

  constructor(options: CallersOptions, sip: SipClient) {
    this.#options = options;
    this.#sip = sip;
    this.#timer = setInterval(() => this.#run(), 1);
  }

  /** Places calls, evenly over time, until `calls` are up or have failed. */
  async call(calls: number): Promise<Answer> {
    const failed: string[] = [];
    const beganMs = performance.now();
    const placed: Promise<void>[] = [];
    for (let index = this.#calls.size; index < calls; index += 1) {
      const dueMs = beganMs + (placed.length * 1000) / this.#options.callsPerSecond;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
      placed.push(this.#place().catch((error: unknown) => void failed.push(String(error))));
    }
    await Promise.all(placed);
    return { type: 'up', calls: this.#calls.size, failed };
  }

  async #place(): Promise<void> {
    const rtp = await RtpCall.open(this.#timings, this.#options.probeEveryMs);
    try {
      const { callId, answered } = await this.#sip.invite(this.#options.number, rtp.port);
      this.#timings.setupMs.push(answered.setupMs);
      rtp.settle(answered.rtpAddress, answered.rtpPort);
      this.#calls.set(callId, rtp);
      this.#slots[this.#opened % slots]?.add(rtp);
      this.#opened += 1;
    } catch (error) {
      rtp.close();
      throw error;
    }
  }

  reset(): void {
    const { setupMs } = this.#timings;
    Object.assign(this.#timings, emptyMeasurements(), { setupMs });
  }

  report(): Answer {
    return { type: 'measured', measurements: this.#timings };
  }

  async hangUp(): Promise<Answer> {
    await Promise.all([...this.#calls.keys()].map((callId) => this.#sip.bye(callId)));
    for (const call of this.#calls.values()) call.close();
    for (const slot of this.#slots) slot.clear();
    this.#calls.clear();
    this.#timings.setupMs.length = 0;
    return { type: 'down', calls: this.#calls.size };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#sip.close();
  }

  /** Every slot that is due; one that is late by a whole frame is made up for at once. */
  #run(): void {
    const nowMs = performance.now();
    const due = Math.floor((nowMs - this.#beganMs) / slot_ms);
    for (; this.#slotsDone < due; this.#slotsDone += 1) {
      const slot = this.#slots[this.#slotsDone % slots];
      if (slot === undefined || slot.size === 0) continue;
      this.#timings.ownLateMs.push(nowMs - (this.#beganMs + (this.#slotsDone + 1) * slot_ms));
      for (const call of slot) call.tick(nowMs);
    }
  }
}

function emptyMeasurements(): Measurements {
  return {
    setupMs: [],
    jitterMs: [],
    delayMs: [],
    probesLost: 0,
    packetsSent: 0,
    packetsReceived: 0,
    packetsMissing: 0,
    packetsRepeated: 0,
    ownLateMs: [],
  };
}

// What measures must not be late itself: it stands with the gateway's media threads, where that is allowed.
// Where it is not, the callers' clock, beside the figures, tells what that costs.
putFirst('realtime');
const callers = await Callers.open(callersOptionsSchema.parse(JSON.parse(process.argv[2] ?? '{}')));
const answer = (message: Answer): void => void process.send?.(message);

process.on('message', (message) => {
  const order = orderSchema.parse(message);
  switch (order.type) {
    case 'call':
      void callers.call(order.calls).then(answer);
      return;
    case 'reset':
      callers.reset();
      return;
    case 'report':
      answer(callers.report());
      return;
    case 'hang_up':
      void callers.hangUp().then(answer);
  }
});
process.on('disconnect', () => callers.close());

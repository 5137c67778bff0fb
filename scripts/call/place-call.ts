/** One call of `npm run call`, from dialing to the sum. */
import { loadSettings, readEnvironment } from '../../src/config.ts';
import type { AgentProfile } from '../../src/agent/profile.ts';
import type { Codec } from '../../src/media/frame.ts';
import type { TimelineEntry } from '../../test/support/operator.ts';
import type { PhoneCall } from '../../test/support/phone/call.ts';
import { converse } from '../../test/support/phone/conversation.ts';
import { TestPhone } from '../../test/support/phone/phone.ts';
import { reach } from '../../test/support/phone/reach.ts';
import { PAYLOAD_TYPE_OF } from '../../test/support/phone/rtp-endpoint.ts';
import type { Script } from '../../test/support/phone/scripts.ts';
import { CallRefused } from '../../test/support/phone/sip-stack.ts';
import { Transcriber } from '../../test/support/phone/transcriber.ts';
import { speak } from '../../test/support/sound/speak.ts';
import { CallFollower } from './follow.ts';
import { bookingOf, type CallReport } from './report.ts';

export interface CallPlan {
  /** What the phone says. */
  readonly script: Script;
  readonly to: string;
  readonly from: string;
  readonly target: string;
  readonly operatorUrl: string;
  readonly codec: Codec;
  readonly voice: string;
  readonly auth?: { readonly username: string; readonly password: string };
  readonly wavFile: string;
  readonly timeoutMs: number;
}

/** A minute of sound that waits for ears. */
const packets_waiting_max = 3000;

const REFUSALS: Readonly<Record<number, string>> = {
  401: 'the gateway wants credentials: give --user and --password',
  403: 'no trunk in config/trunkline.yaml allows this address (or the password is wrong)',
  404: 'no route for this number: see numbers in config/trunkline.yaml',
  408: 'nobody answered in time',
  480: 'the agent did not come to the phone in time',
  486: 'busy',
  488: 'the trunk does not allow this codec',
  503: 'the gateway has no capacity left, or is stopping',
};

/** true when a booking was recorded and the agent hung up. A failure is a sentence, reported or thrown. */
export async function placeCall(plan: CallPlan, report: CallReport): Promise<boolean> {
  const where = await reach(plan.target);
  if (where !== 'answers')
    throw new Error(
      where === 'refused'
        ? `Nothing listens at ${plan.target}: start the gateway with \`npm start\`.`
        : `${plan.target} does not answer SIP: is it the gateway's address?`,
    );
  const voice = { voice: plan.voice };
  // Fails here, before it rings, when the voice does not exist.
  await speak('hello', voice);
  const heard = new Heard();
  // A first language model takes seconds: it is made while the phone rings, and sound waits for it.
  const ears = openEars(plan, report, heard);
  const phone = await TestPhone.start();
  try {
    const interrupt = new AbortController();
    // A second Ctrl-C ends the program at once.
    process.once('SIGINT', () => interrupt.abort());
    const call = await dial(phone, plan, { report, signal: interrupt.signal });
    const stopListening = attach(ears, call, plan.codec);
    const follower = new CallFollower(plan.operatorUrl, call.sipCallId, (entry) => {
      heard.told(entry);
      report.entry(entry);
    });
    interrupt.signal.addEventListener('abort', () => {
      report.line('phone', 'hangs up', '');
      void call.hangUp();
    });
    const { outcome, ended, spoken } = await converse(call, {
      script: plan.script,
      agentSaid: () => heard.takeLatest(),
      speak: (text) => speak(text, voice),
      timeoutMs: plan.timeoutMs,
      onSpeak: (text) => report.line('phone', 'says', `“${text}”`),
    });
    stopListening();
    if (outcome === 'timeout') {
      report.line('call', 'given up', `after ${spoken} sentences; the agent did not hang up`);
      await call.hangUp();
    } else report.line('call', 'ended', `by the ${ended?.by === 'gateway' ? 'agent' : 'phone'}`);
    await (await ears)?.close();
    const record = await follower.finish();
    if (follower.failure !== undefined)
      report.line('call', 'trouble', `the operator API ${plan.operatorUrl} does not answer: see --operator`);
    await call.saveStereo(plan.wavFile);
    report.sum(record, plan.wavFile);
    return outcome === 'ended' && ended?.by === 'gateway' && bookingOf(record) !== undefined;
  } finally {
    await (await ears)?.close();
    await phone.close();
  }
}

async function dial(
  phone: TestPhone,
  plan: CallPlan,
  { report, signal }: { report: CallReport; signal: AbortSignal },
): Promise<PhoneCall> {
  report.line('phone', 'dials', `${plan.to} at ${plan.target} (${plan.codec})`);
  try {
    const call = await phone.dial({
      to: plan.to,
      from: plan.from,
      target: plan.target,
      codec: plan.codec,
      signal,
      ...(plan.auth === undefined ? {} : { auth: plan.auth }),
      onRinging: () => report.line('call', 'rings', ''),
    });
    report.line('call', 'answered', '');
    return call;
  } catch (error) {
    if (!(error instanceof CallRefused)) throw error;
    const sentence = REFUSALS[error.status] ?? 'see the gateway’s log for the reason';
    throw new Error(`The call was refused with ${error.message}: ${sentence}.`, { cause: error });
  }
}

/** The agent's words since the phone spoke last: as the gateway tells them, else as they were heard. */
class Heard {
  #told = '';
  #heard = '';

  hear(text: string): void {
    this.#heard = text;
  }

  told(entry: TimelineEntry): void {
    if (entry.type === 'said') this.#told = entry.text;
  }

  takeLatest(): string {
    const latest = this.#told || this.#heard;
    this.#told = '';
    this.#heard = '';
    return latest;
  }
}

/** Ears need the profile's sentences: without a readable configuration the call goes on without them. */
async function openEars(plan: CallPlan, report: CallReport, heard: Heard): Promise<Transcriber | undefined> {
  try {
    const profile = profileOf(plan.to);
    if (profile === undefined) return undefined;
    return await Transcriber.start(profile, plan.codec, (text) => {
      heard.hear(text);
      report.line('phone', 'heard', `“${text}”`);
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    report.line('phone', 'deaf', `cannot write down what it hears: ${reason}`);
    return undefined;
  }
}

function profileOf(number: string): AgentProfile | undefined {
  const { config, profiles } = loadSettings(readEnvironment());
  const route = config.numbers.find((one) => one.number === number);
  return route === undefined ? undefined : profiles.get(route.profile);
}

function attach(opening: Promise<Transcriber | undefined>, call: PhoneCall, codec: Codec): () => void {
  let ears: Transcriber | undefined;
  const waiting: [packet: Uint8Array, voiced: boolean][] = [];
  void opening.then((opened) => {
    ears = opened;
    for (const [packet, voiced] of waiting.splice(0)) ears?.take(packet, voiced);
  });
  call.ear.onVoiced = (voiced) => {
    const packet = call.received.last;
    if (packet?.payloadType !== PAYLOAD_TYPE_OF[codec]) return;
    if (ears !== undefined) ears.take(packet.payload, voiced);
    else if (waiting.length < packets_waiting_max) waiting.push([packet.payload, voiced]);
  };
  return () => (call.ear.onVoiced = undefined);
}

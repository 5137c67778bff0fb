/** The warm handoff: a phone calls, wants a human, Chromium at /desk is rung, talks, and hands back. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DeskPerson } from '../../support/console/desk-person.ts';
import { Baresip, freeTcpPort } from '../../support/baresip.ts';
import { shippedProfile, TestGateway } from '../../support/gateway.ts';
import type { PhoneCall } from '../../support/phone/call.ts';
import { TestPhone } from '../../support/phone/phone.ts';
import { continuity } from '../../support/phone/rtp-record.ts';
import { levelDbfs, tone } from '../../support/sound/level.ts';
import { speak } from '../../support/sound/speak.ts';
import { toneLevels, toneLevelsIn } from '../../support/tones.ts';
import { until } from '../../support/until.ts';
import { buildForBrowsers } from '../../support/web-builds.ts';

const caller_hz = 440;
const human_hz = 1000;
const supervisor_hz = 1600;
const tones = [caller_hz, human_hz, supervisor_hz] as const;
const key = 'key-of-the-test';
/** Music is louder than this all the time, and silence is not. */
const music_dbfs_min = -45;
const heard_db = -35;

let gateway: TestGateway;
let phone: TestPhone;
let nora: DeskPerson;
let sam: DeskPerson;
let call: PhoneCall;
const open: PhoneCall[] = [];

beforeAll(async () => {
  await buildForBrowsers('console');
  const port = await freeTcpPort();
  gateway = await TestGateway.start({
    profiles: [shippedProfile('clinic-receptionist')],
    numbers: [{ number: '+15550100', profile: 'clinic-receptionist' }],
    trunks: [{ name: 'softphones', allow: ['127.0.0.1/32'] }],
    web: { port },
    desk: {
      origins: [`http://127.0.0.1:${port}`],
      keys: [{ key, roles: ['human', 'supervisor'] }],
      wait_ms: 40_000,
    },
  });
  phone = await TestPhone.start();
});

afterAll(async () => {
  await phone.close();
  await gateway.close();
});

beforeEach(async () => {
  nora = await DeskPerson.start({ speaksHz: human_hz });
  await nora.signIn(gateway.gateway.webUrl, { name: 'Nora', key });
  await nora.page.getByRole('switch', { name: 'Not taking calls' }).click();
  await nora.page.getByRole('switch', { name: 'Taking calls', exact: true }).waitFor();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.hangUp()));
  await nora.close();
});

/** Dials, hears the greeting out, and asks for a person. */
async function askForPerson(): Promise<void> {
  call = await phone.dial({ to: '+15550100', target: gateway.target, codec: 'pcmu' });
  open.push(call);
  await call.agentSilenceFor(900);
  await call.play(await speak('can I speak to a person please'));
}

/** The sound of the last `packets` packets, once that many more have come. */
async function heardByCaller(packets = 50): Promise<Uint8Array[]> {
  const before = call.received.packets.length;
  await until('the caller hears more', () => call.received.packets.length >= before + packets);
  return call.received.packets.slice(before).map(({ payload }) => payload);
}

async function tonesOfCaller(): Promise<number[]> {
  const levels = toneLevels(await heardByCaller(), 'pcmu', tones);
  return tones.filter((_, at) => (levels[at] ?? -Infinity) > heard_db);
}

async function musicOfCaller(): Promise<number> {
  const before = call.tape.heard.length;
  await heardByCaller(75);
  return levelDbfs(call.tape.heard.subarray(before));
}

/** Of the latest call. */
const timeline = (): readonly { type: string; step?: string; text?: string }[] =>
  gateway.gateway.journal.list()[0]?.timeline ?? [];
const steps = (): string[] => timeline().flatMap(({ step }) => (step === undefined ? [] : [step]));
const said = (words: RegExp): boolean =>
  timeline().some(({ type, text = '' }) => type === 'said' && words.test(text));

describe('a caller who wants to speak to a person', { timeout: 150_000 }, () => {
  it('is put through, held, whispered about and handed back, on one unbroken line', async () => {
    await askForPerson();
    const ringing = nora.page.getByTestId('ringing');
    await ringing.waitFor({ timeout: 30_000 });
    await nora.look('ringing');
    expect(await ringing.textContent()).toMatch(/wants to speak to a person.*asks for a person/);
    expect(await ringing.textContent()).toMatch(/speak to a person/);
    expect(await musicOfCaller()).toBeGreaterThan(music_dbfs_min);
    expect(said(/connecting you to a colleague/)).toBe(true);

    await nora.press('Accept');
    await until('they talk', () => steps().includes('joined'), 20_000);
    void call.play(tone(caller_hz, 90_000));
    await expect.poll(tonesOfCaller, { timeout: 15_000 }).toEqual([human_hz]);
    await expect.poll(() => nora.hears(tones), { timeout: 15_000 }).toEqual([caller_hz]);
    await nora.look('talking');

    sam = await DeskPerson.start({ speaksHz: supervisor_hz, prefersDark: true });
    try {
      await supervise();
    } finally {
      await sam.close();
    }

    await nora.press('Hold');
    await until('the caller is held', () => steps().includes('held'));
    expect(await musicOfCaller()).toBeGreaterThan(music_dbfs_min);
    expect(await tonesOfCaller()).not.toContain(human_hz);
    await expect.poll(() => nora.hears(tones), { timeout: 10_000 }).toEqual([]);
    await nora.look('held');
    await nora.press('Hold');
    await expect.poll(tonesOfCaller, { timeout: 15_000 }).toEqual([human_hz]);

    await nora.press('Hand back to the agent');
    await until('the agent says so', () => said(/I am back with you/), 20_000);
    await nora.page.getByText('Nobody waits').waitFor();
    expect(await nora.page.getByTestId('own-call').count()).toBe(0);
    await call.hangUp();
    expect(steps()).toEqual([
      ...['requested', 'announced', 'rang', 'accepted', 'joined', 'held', 'resumed', 'handed_back'],
    ]);
    const line = continuity(call.received.packets);
    expect(line).toMatchObject({ sequenceJumps: 0, timestampJumps: 0 });
    expect(line.ssrcs).toHaveLength(1);
    expect(nora.complaints).toEqual([]);
  });

  it('gets the agent back when the human closes the page', async () => {
    await askForPerson();
    await nora.page.getByTestId('ringing').waitFor({ timeout: 30_000 });
    await nora.press('Accept');
    await until('they talk', () => steps().includes('joined'), 20_000);
    await nora.page.goto('about:blank');
    await until('the agent says so', () => said(/I am here again/), 20_000);
    expect(steps().slice(-1)).toEqual(['left']);
  });
});

describe('a caller with a softphone', { timeout: 150_000 }, () => {
  it('is put through, whispered about behind its back, and handed back', async () => {
    const softphone = await Baresip.start({ codec: 'pcmu' });
    try {
      await softphone.dial(`sip:+15550100@${gateway.target}`);
      await softphone.event('CALL_ESTABLISHED');
      await until('the greeting is over', () => said(/How can I help/i), 30_000);
      await softphone.say(await speak('can I speak to a person please'));
      await nora.page.getByTestId('ringing').waitFor({ timeout: 30_000 });
      await nora.press('Accept');
      await until('they talk', () => steps().includes('joined'), 20_000);
      await softphone.say(tone(caller_hz, 90_000));
      await expect.poll(() => nora.hears(tones), { timeout: 15_000 }).toEqual([caller_hz]);
      sam = await DeskPerson.start({ speaksHz: supervisor_hz });
      await sam.signIn(gateway.gateway.webUrl, { name: 'Sam', key, role: 'supervisor' });
      await sam.press(/^Listen to/);
      await sam.press('Whisper');
      await expect.poll(() => nora.hears(tones), { timeout: 15_000 }).toEqual([caller_hz, supervisor_hz]);
      await sam.close();
      await nora.press('Hand back to the agent');
      await until('the agent says so', () => said(/I am back with you/), 20_000);
      await softphone.hangUp();
      await softphone.event('CALL_CLOSED');
      const heard = await softphone.heard();
      expect(loudest(heard, human_hz)).toBeGreaterThan(heard_db);
      expect(loudest(heard, supervisor_hz)).toBeLessThan(heard_db);
    } finally {
      await softphone.close();
    }
  });
});

/** How loud a tone was in its best second, in dB below full scale. */
function loudest(samples: Int16Array, frequencyHz: number): number {
  const seconds = Math.floor(samples.length / 8000);
  const levels = Array.from(
    { length: seconds },
    (_, at) => toneLevelsIn(samples.subarray(at * 8000, (at + 1) * 8000), [frequencyHz])[0] ?? -Infinity,
  );
  return Math.max(-Infinity, ...levels);
}

/** Whom the supervisor's tone reaches, by what it does. */
async function supervise(): Promise<void> {
  await sam.signIn(gateway.gateway.webUrl, { name: 'Sam', key, role: 'supervisor' });
  await sam.page.getByTestId('live-call').waitFor();
  await sam.press(/^Listen to/);
  await sam.page.locator('[data-testid=own-call][data-state=talking]').waitFor({ timeout: 15_000 });
  await expect.poll(() => sam.hears(tones), { timeout: 15_000 }).toEqual([caller_hz, human_hz]);
  expect(await nora.hears(tones)).toEqual([caller_hz]);
  expect(await tonesOfCaller()).toEqual([human_hz]);
  await sam.press('Whisper');
  await expect.poll(() => nora.hears(tones), { timeout: 15_000 }).toEqual([caller_hz, supervisor_hz]);
  expect(await tonesOfCaller()).toEqual([human_hz]);
  await sam.look('supervisor-whispers');
  await sam.press('Barge in');
  await expect.poll(tonesOfCaller, { timeout: 15_000 }).toEqual([human_hz, supervisor_hz]);
  await sam.press('Leave');
  await expect.poll(tonesOfCaller, { timeout: 15_000 }).toEqual([human_hz]);
  expect(sam.complaints).toEqual([]);
}

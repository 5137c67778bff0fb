import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Recogniser, type Ear } from '../../../src/agent/models/offline/recogniser.ts';
import { Synthesiser } from '../../../src/agent/models/offline/synthesiser.ts';
import { wordsOf } from '../../../src/agent/models/offline/words.ts';
import { agentProfileSchema, type AgentProfile } from '../../../src/agent/profile.ts';
import { decode, encode, G711 } from '../../../src/media/g711.ts';
import type { Codec } from '../../../src/media/frame.ts';
import { mistakes, withNoise } from '../../../bench/test-set.ts';
import { clinicProfile } from './simulated-call.ts';

let folder: string;
let recogniser: Recogniser;
let synthesiser: Synthesiser;
let model: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-speech-'));
  recogniser = new Recogniser({ cacheFolder: folder });
  synthesiser = new Synthesiser({ cacheBytesMax: 60_000 });
  model = await recogniser.prepare(clinicProfile());
});
afterAll(async () => {
  await Promise.all([recogniser.close(), synthesiser.close()]);
  await rm(folder, { recursive: true });
});

/** Speech with the silence around it that a call has. */
async function said(text: string, codec: Codec = 'pcmu', voice = 'rms'): Promise<Uint8Array> {
  const speech = await synthesiser.speak({ text, voice, codec });
  const bytes = new Uint8Array(speech.length + 7200).fill(G711[codec].silence);
  bytes.set(speech, 2400);
  return bytes;
}

async function heard(ear: Ear, bytes: Uint8Array, frameBytes = 160): Promise<string> {
  ear.start();
  for (let at = 0; at < bytes.length; at += frameBytes) ear.hear(bytes.subarray(at, at + frameBytes));
  return (await ear.end()).text;
}

/** Another trade, which shares no wish with the clinic. */
function bakeryProfile(): AgentProfile {
  return agentProfileSchema.parse({
    ...{ name: 'bakery', greeting: 'Hello.', not_understood: ['Sorry?'], still_there: ['Hello?'] },
    ...{ anything_else: 'Anything else?', goodbye: 'Goodbye.' },
    tasks: [
      {
        ...{ name: 'order', done: 'It will be ready tomorrow.' },
        phrases: [
          'I want to order a chocolate cake',
          'I would like a chocolate cake',
          'an apple cake please',
        ],
      },
    ],
  });
}

describe('recogniser', () => {
  it.each([
    ['open', 'I would like an appointment tomorrow at ten'],
    ['open', 'what are your opening hours'],
    ['answer-book-name', 'my name is laura smith'],
    ['answer-book-time', 'half past two'],
    ['answer-book-day', 'next monday'],
    ['confirm-book', 'yes that is right'],
    ['closing', 'that is all thank you'],
  ])('expecting %s, hears "%s"', async (expecting, text) => {
    const ear = recogniser.ear({ model, codec: 'pcmu' });
    ear.expect(expecting);
    expect(await heard(ear, await said(text))).toBe(text.toLowerCase());
    ear.close();
  });

  it.each([1, 160, 333, 5000])('takes sound in pieces of %i bytes, and A-law', async (frameBytes) => {
    const ear = recogniser.ear({ model, codec: 'pcma' });
    const bytes = await said('I need to see a doctor', 'pcma');
    expect(await heard(ear, bytes, frameBytes)).toMatch(/doctor$/);
    ear.close();
  });

  it('refuses what has nothing to do with the profile', async () => {
    const ear = recogniser.ear({ model, codec: 'pcmu' });
    ear.start();
    ear.hear(await said('photosynthesis converts sunlight into chemical energy'));
    expect(await ear.end()).toMatchObject({ text: '', rejected: true });
    ear.close();
  });

  it('hears nothing in silence, and in no sound at all', async () => {
    const ear = recogniser.ear({ model, codec: 'pcmu' });
    expect(await heard(ear, new Uint8Array(8000).fill(G711.pcmu.silence))).toBe('');
    expect(await heard(ear, new Uint8Array(0))).toBe('');
    ear.close();
  });

  it('understands more of a noisy caller with noise suppression', { timeout: 60_000 }, async () => {
    const texts = [
      'I would like an appointment tomorrow at ten',
      'what are your opening hours',
      'next monday',
    ];
    const wrong = { none: 0, rnnoise: 0 };
    for (const noiseSuppression of ['none', 'rnnoise'] as const) {
      const ear = recogniser.ear({ model, codec: 'pcmu', noiseSuppression });
      for (const [seed, text] of [...texts, ...texts].entries()) {
        const bytes = await said(text);
        const clean = new Int16Array(bytes.length);
        decode('pcmu', bytes, clean);
        encode('pcmu', withNoise(clean, 8, seed), bytes);
        wrong[noiseSuppression] += mistakes(wordsOf(text), wordsOf(await heard(ear, bytes)));
      }
      ear.close();
    }
    expect(wrong.rnnoise).toBeLessThan(wrong.none);
  });

  it('hears a quiet line as well with noise suppression as without', async () => {
    const ear = recogniser.ear({ model, codec: 'pcma', noiseSuppression: 'rnnoise' });
    expect(await heard(ear, await said('what are your opening hours', 'pcma'))).toBe(
      'what are your opening hours',
    );
    ear.close();
  });

  it('keeps two callers apart', async () => {
    const [one, two] = [recogniser.ear({ model, codec: 'pcmu' }), recogniser.ear({ model, codec: 'pcmu' })];
    const [hours, doctor] = await Promise.all([
      said('what are your opening hours'),
      said('I need to see a doctor'),
    ]);
    one.start();
    two.start();
    for (let at = 0; at < 40_000; at += 160) {
      one.hear(hours.subarray(at, at + 160));
      two.hear(doctor.subarray(at, at + 160));
    }
    const texts = await Promise.all([one.end(), two.end()]);
    expect(texts[0].text).toBe('what are your opening hours');
    expect(texts[1].text).toMatch(/doctor$/);
    one.close();
    two.close();
  });

  it('hears callers of two profiles at a time, each by its own language model', async () => {
    const bakery = await recogniser.prepare(bakeryProfile());
    expect(bakery).not.toBe(model);
    const [patient, guest] = [
      recogniser.ear({ model, codec: 'pcmu' }),
      recogniser.ear({ model: bakery, codec: 'pcmu' }),
    ];
    const [doctor, cake] = [
      await said('I need to see a doctor'),
      await said('I want to order a chocolate cake'),
    ];
    for (let round = 0; round < 2; round += 1) {
      patient.start();
      guest.start();
      for (let at = 0; at < Math.max(doctor.length, cake.length); at += 160) {
        patient.hear(doctor.subarray(at, at + 160));
        guest.hear(cake.subarray(at, at + 160));
      }
      const [first, second] = await Promise.all([patient.end(), guest.end()]);
      expect([first.text, second.text]).toEqual([
        expect.stringMatching(/doctor$/),
        'i want to order a chocolate cake',
      ]);
    }
    // Neither knows the other's words.
    expect(await heard(patient, cake)).not.toMatch(/order|chocolate|cake/);
    expect(await heard(guest, doctor)).not.toContain('doctor');
    patient.close();
    guest.close();
  });

  it('prepares a profile once, however often it is asked', async () => {
    const profile = clinicProfile();
    const keys = await Promise.all([recogniser.prepare(profile), recogniser.prepare(profile)]);
    expect(keys).toEqual([model, model]);
    expect((await readdir(folder)).filter((name) => name.startsWith('language-'))).toHaveLength(2);
  });

  it('rejects the utterance that was under way when it died, and hears the next', async () => {
    const ear = recogniser.ear({ model, codec: 'pcmu' });
    const bytes = await said('what are your opening hours');
    ear.start();
    ear.hear(bytes);
    const down = new Promise((resolve) => recogniser.process.events.once('down', resolve));
    process.kill(recogniser.process.pid ?? 0, 'SIGKILL');
    await down;
    await expect(ear.end()).rejects.toMatchObject({ code: 'SPEECH_UNAVAILABLE' });
    await expect(heard(ear, bytes)).rejects.toMatchObject({ code: 'SPEECH_UNAVAILABLE' });
    expect(await recogniser.process.whenUp(20_000)).toBe(true);
    expect(await heard(ear, bytes)).toBe('what are your opening hours');
    ear.close();
  });
});

describe('synthesiser', () => {
  const phrase = (text: string, voice = 'slt', codec: Codec = 'pcmu') => ({ text, voice, codec });

  it.each(['slt', 'rms', 'awb', 'kal16'])('speaks as %s', async (voice) => {
    const bytes = await synthesiser.speak(phrase('Good morning, this is a test.', voice));
    expect(bytes.length).toBeGreaterThan(8 * 1000);
    expect(bytes.length).toBeLessThan(8 * 4000);
  });

  it('says the same in both laws', async () => {
    const ulaw = await synthesiser.speak(phrase('Hello.'));
    const alaw = await synthesiser.speak(phrase('Hello.', 'slt', 'pcma'));
    const loudness = (bytes: Uint8Array, codec: Codec): number =>
      Math.sqrt(bytes.reduce((sum, byte) => sum + (G711[codec].expand[byte] ?? 0) ** 2, 0) / bytes.length);
    // flite varies its timing a little from one time to the next.
    expect(Math.abs(alaw.length / ulaw.length - 1)).toBeLessThan(0.1);
    expect(Math.abs(loudness(alaw, 'pcma') / loudness(ulaw, 'pcmu') - 1)).toBeLessThan(0.1);
  });

  it('begins to speak at once and ends with a pause', async () => {
    const bytes = await synthesiser.speak(phrase('Hello.'));
    const loud = (byte: number): boolean => Math.abs(G711.pcmu.expand[byte] ?? 0) > 400;
    expect(bytes.findIndex(loud)).toBeLessThan(8 * 60);
    expect(bytes.length - bytes.findLastIndex(loud)).toBeGreaterThan(8 * 120);
  });

  it('keeps phrases, the oldest least', async () => {
    const first = await synthesiser.speak(phrase('The first phrase of all.'));
    expect(await synthesiser.speak(phrase('The first phrase of all.'))).toBe(first);
    for (const word of ['one', 'two', 'three', 'four', 'five'])
      await synthesiser.speak(phrase(`This is phrase number ${word} of several.`));
    expect(synthesiser.cachedBytes).toBeLessThanOrEqual(60_000);
    expect(await synthesiser.speak(phrase('The first phrase of all.'))).not.toBe(first);
  });

  it('asks once for a phrase that is wanted twice at the same time', async () => {
    const both = [synthesiser.speak(phrase('Twice.')), synthesiser.speak(phrase('Twice.'))];
    const [one, two] = await Promise.all(both);
    expect(one).toBe(two);
  });

  it('refuses a voice that is not there, and text that is none', async () => {
    await expect(synthesiser.speak(phrase('Hello.', 'nobody'))).rejects.toMatchObject({
      code: 'PROFILE_UNSPEAKABLE',
      detail: expect.stringContaining('slt, rms, awb, kal16') as unknown,
    });
  });
});

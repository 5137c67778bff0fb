/** Decoders that go from caller to caller: the real ones, on Debian's acoustic model. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Speakers, withNoise } from '../../../bench/test-set.ts';
import { TELEPHONE_MEANS } from '../../../src/agent/models/offline/caller-means.ts';
import { Decoders, DomainDecoder } from '../../../src/agent/models/offline/decoders.ts';
import {
  prepareLanguageModel,
  telephoneModel,
  type LanguageModelFiles,
} from '../../../src/agent/models/offline/language-model.ts';
import { INSTALLED_MODEL } from '../../../src/agent/models/offline/pocketsphinx.ts';
import { repeatSamples } from '../../../src/agent/models/offline/telephone-band.ts';
import { UsualFit } from '../../../src/agent/models/offline/usual-fit.ts';
import { unknownCaller, Utterance, type KnownCaller } from '../../../src/agent/models/offline/utterance.ts';
import { clinicProfile } from './simulated-call.ts';

let folder: string;
let files: LanguageModelFiles;
let acousticModel: string;
const speakers = new Speakers();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-decoders-'));
  acousticModel = telephoneModel(folder, join(INSTALLED_MODEL, 'en-us'));
  const dictionaryPath = join(INSTALLED_MODEL, 'cmudict-en-us.dict');
  files = prepareLanguageModel({ profile: clinicProfile(), cacheFolder: folder, dictionaryPath });
});
afterAll(async () => {
  await speakers.close();
  await rm(folder, { recursive: true });
});

async function said(text: string, voice = 'slt', snrDb: number | null = null): Promise<Int16Array> {
  const narrow = await speakers.say(text, voice);
  const samples = snrDb === null ? narrow : withNoise(narrow, snrDb, 7);
  const wide = new Int16Array(2 * samples.length);
  repeatSamples(samples, wide);
  return wide;
}

function hear(utterance: Utterance | null, samples: Int16Array): ReturnType<Utterance['end']> {
  if (utterance === null) throw new Error('no decoder was free');
  for (let at = 0; at < samples.length; at += 1600) utterance.hear(samples.subarray(at, at + 1600));
  return utterance.end();
}

describe('a decoder', () => {
  const telephone = Float32Array.from(TELEPHONE_MEANS);

  it('begins with the means that it is told, and ends with those of what it heard', async () => {
    const decoder = new DomainDecoder(files, acousticModel, 1n);
    const sound = await said('what are your opening hours');
    const means: Float32Array[] = [];
    for (const told of [telephone, telephone.map((mean) => mean + 1)]) {
      decoder.start({ expecting: 'open', means: told });
      decoder.process(sound);
      means.push(decoder.end().means);
    }
    // They are the sound's own, whatever it was begun with, but for one frame's weight.
    for (const [index, mean] of (means[0] ?? []).entries()) {
      expect(mean).not.toBe(telephone[index]);
      expect(Math.abs(mean - (means[1]?.[index] ?? 0))).toBeLessThan(0.05);
    }
  });

  it('keeps the means of silence as they were told', () => {
    const decoder = new DomainDecoder(files, acousticModel, 1n);
    decoder.start({ expecting: 'open', means: telephone });
    expect(decoder.end()).toMatchObject({ text: '', means: telephone });
  });

  it('listens for what is expected, and for anything when that is unknown', async () => {
    const decoder = new DomainDecoder(files, acousticModel, 1n);
    const sound = await said('quarter to nine');
    const texts = ['answer-book-time', 'nobody knows', 'answer-book-time'].map((expecting) => {
      decoder.start({ expecting, means: telephone });
      decoder.process(sound);
      return decoder.end().text;
    });
    expect(texts[0]).toBe('quarter to nine');
    expect(texts[1]).toMatch(/nine$/);
    expect(texts[2]).toBe('quarter to nine');
  });
});

describe('decoders of one language model', () => {
  it('go from caller to caller, and keep nothing of the one before', async () => {
    const decoders = new Decoders(files, acousticModel);
    const sound = await said('my name is anna miller', 'awb');
    const alone = hear(Utterance.begin(decoders, unknownCaller, 'answer-book-name'), sound);
    const first = decoders.take();
    if (first !== null) decoders.giveBack(first);
    expect(decoders.take()).toBe(first);
    if (first !== null) decoders.giveBack(first);
    hear(Utterance.begin(decoders, unknownCaller, 'open'), await said('where is the clinic', 'kal16'));
    const after = hear(Utterance.begin(decoders, unknownCaller, 'answer-book-name'), sound);
    expect(after.hearing.text).toBe(alone.hearing.text);
    expect(Math.abs(after.hearing.fit - alone.hearing.fit)).toBeLessThan(1);
  });

  it('are lent to so many callers and no more, and come back when an utterance ends or is dropped', () => {
    const decoders = new Decoders(files, acousticModel);
    const begin = (): Utterance | null => Utterance.begin(decoders, unknownCaller, 'open');
    const lent = Array.from({ length: 64 }, begin);
    expect(lent).not.toContain(null);
    expect(begin()).toBeNull();
    lent[0]?.drop();
    lent[1]?.end();
    const again = [begin(), begin()];
    expect(again).not.toContain(null);
    expect(begin()).toBeNull();
    for (const one of [...lent.slice(2), ...again]) one?.drop();
  });
});

describe('an utterance', () => {
  let decoders: Decoders;
  beforeAll(() => {
    decoders = new Decoders(files, acousticModel);
    decoders.stock();
  });
  const begin = (caller: KnownCaller, expecting = 'open'): Utterance | null =>
    Utterance.begin(decoders, caller, expecting);

  it('teaches the means of its caller', async () => {
    const { hearing, caller } = hear(
      begin(unknownCaller),
      await said('I would like to book an appointment please', 'rms'),
    );
    expect(hearing).toMatchObject({ text: 'i would like to book an appointment please', rejected: false });
    const sound = await said('what are your opening hours', 'rms');
    const fitWith = ({ means: { expected } }: KnownCaller): number => {
      const decoder = new DomainDecoder(files, acousticModel, 1n);
      decoder.start({ expecting: 'open', means: expected });
      decoder.process(sound);
      const { score, frames } = decoder.end();
      return score / frames;
    };
    expect(fitWith(caller)).toBeGreaterThan(fitWith(unknownCaller));
  });

  it.each([
    'photosynthesis converts sunlight into chemical energy',
    'the football match was cancelled because of heavy snow',
    'grandmother baked a chocolate cake for the party',
  ])('that has nothing to do with the profile is refused and teaches nothing: "%s"', async (text) => {
    const { caller } = hear(begin(unknownCaller), await said('hello I need to see a doctor', 'slt'));
    const { hearing, caller: after } = hear(begin(caller), await said(text));
    expect(hearing).toMatchObject({ text: '', rejected: true });
    expect(after).toBe(caller);
  });

  it('is judged by how well its caller usually fits', async () => {
    const sound = await said('this is Robert Taylor', 'en-gb');
    expect(hear(begin(unknownCaller), sound).hearing).toMatchObject({ text: '', rejected: true });
    const accent: KnownCaller = { ...unknownCaller, fit: UsualFit.unknown.with(-48, 2000) };
    const { hearing, caller } = hear(begin(accent), sound);
    expect(hearing.text).toMatch(/^(it|this) is robert/);
    // Learnt with the rest: it fitted worse still.
    expect(hearing.fit).toBeLessThan(-48);
    expect(caller.fit).not.toBe(accent.fit);
    const stranger = await said('photosynthesis converts sunlight into chemical energy', 'en-gb');
    expect(hear(begin(accent), stranger).hearing).toMatchObject({ text: '', rejected: true });
  });

  it('in noise is heard twice, and better for it', async () => {
    const text = 'hello I need to see a doctor on Wednesday';
    const sound = await said(text, 'slt', 15);
    const light = new DomainDecoder(files, acousticModel, 2n);
    light.start({ expecting: 'open', means: unknownCaller.means.expected });
    light.process(sound);
    const once = light.end();
    const { hearing } = hear(begin(unknownCaller), sound);
    expect(hearing.rejected).toBe(false);
    expect(hearing.fit).toBeGreaterThan(once.score / once.frames);
  });

  it('that is too long to be heard twice is judged by its first hearing', async () => {
    const wish = await said('I would like an appointment tomorrow at ten');
    const other = await said('my car engine makes a strange rattling noise');
    const long = (sound: Int16Array): Int16Array => {
      const times = Math.ceil((9 * 16_000) / sound.length);
      return Int16Array.from({ length: times * sound.length }, (_, at) => sound[at % sound.length] ?? 0);
    };
    expect(hear(begin(unknownCaller), long(wish)).hearing).toMatchObject({
      text: expect.stringContaining('appointment tomorrow at ten') as unknown,
      rejected: false,
    });
    expect(hear(begin(unknownCaller), long(other)).hearing).toMatchObject({ text: '', rejected: true });
  });

  it('of silence is no words, and teaches nothing', () => {
    const { hearing, caller } = hear(begin(unknownCaller), new Int16Array(16_000));
    expect(hearing).toMatchObject({ text: '', rejected: false });
    expect(caller).toBe(unknownCaller);
  });
});

import { describe, expect, it } from 'vitest';
import { chatUsage, heardUsage, spokenUsage } from '../../../../src/agent/models/pipeline/usage.ts';
import { multipart } from '../../../../src/agent/models/pipeline/transcriber.ts';
import { UtteranceRecorder, wavOf } from '../../../../src/agent/models/pipeline/utterance.ts';
import { encode, G711 } from '../../../../src/media/g711.ts';
import { parseForm } from '../../../support/openai-server/bodies.ts';
import { levelDbfs, tone } from '../../../support/sound/level.ts';
import { decodeWav } from '../../../support/sound/wav.ts';

const recorder = (): UtteranceRecorder =>
  new UtteranceRecorder({ codec: 'pcmu', endOfSpeechMs: 600, noticeMs: 240 });

/** So many ms of a tone, or of silence, in frames. */
function hear(ear: UtteranceRecorder, ms: number, hz = 0): void {
  const bytes = new Uint8Array(ms * 8).fill(G711.pcmu.silence);
  if (hz > 0) encode('pcmu', tone(hz, ms), bytes);
  for (let at = 0; at < bytes.length; at += 160) ear.hear(bytes.subarray(at, at + 160), 0);
}

const msOf = (samples: Int16Array): number => samples.length / 8;

describe('an utterance', () => {
  it('holds what was said, some sound before it, and little of the silence after it', () => {
    const ear = recorder();
    hear(ear, 5000);
    hear(ear, 240, 500);
    ear.start();
    hear(ear, 760, 500);
    hear(ear, 600);
    const { samples, spokenMs } = ear.end();
    expect(spokenMs).toBe(760);
    expect(msOf(samples)).toBe(540 + 760 + 240);
    // 300 ms of silence, the whole second of the tone, 240 ms of silence.
    expect(levelDbfs(samples.subarray(0, 290 * 8))).toBeLessThan(-60);
    expect(levelDbfs(samples.subarray(310 * 8, 1290 * 8))).toBeGreaterThan(-15);
    expect(levelDbfs(samples.subarray(1310 * 8))).toBeLessThan(-60);
  });

  it('may begin with the call', () => {
    const ear = recorder();
    hear(ear, 100, 500);
    ear.start();
    hear(ear, 200, 500);
    hear(ear, 600);
    expect(msOf(ear.end().samples)).toBe(100 + 200 + 240);
  });

  it('is followed by another, without a trace of the first', () => {
    const ear = recorder();
    ear.start();
    hear(ear, 3000, 500);
    hear(ear, 600);
    ear.end();
    hear(ear, 200);
    ear.start();
    hear(ear, 1000);
    const { samples } = ear.end();
    expect(msOf(samples)).toBe(200 + 1000 - 360);
    expect(levelDbfs(samples)).toBeLessThan(-60);
  });

  it('keeps time over lost packets, up to a point', () => {
    const ear = recorder();
    ear.start();
    hear(ear, 400, 500);
    ear.hear(new Uint8Array(160).fill(G711.pcmu.silence), 60);
    ear.hear(new Uint8Array(160).fill(G711.pcmu.silence), 5000);
    hear(ear, 600);
    expect(msOf(ear.end().samples)).toBe(400 + 80 + 220 + 240);
  });

  it('has an end, however long somebody talks', () => {
    const ear = recorder();
    ear.start();
    hear(ear, 130_000);
    expect(msOf(ear.end().samples)).toBe(120_000 - 360);
  });

  it('of nothing is empty', () => {
    const ear = recorder();
    ear.start();
    expect(ear.end()).toEqual({ samples: new Int16Array(0), spokenMs: 0 });
  });
});

describe('what is sent to be written down', () => {
  it('is a WAV file as others read it', () => {
    const samples = tone(700, 123);
    expect(decodeWav(Buffer.from(wavOf(samples)))).toEqual({ sampleRateHz: 8000, channels: [samples] });
  });

  it('is a form as others read it', () => {
    const wav = wavOf(tone(700, 20));
    const { body, contentType } = multipart(wav, { model: 'ear', prompt: 'Ünïcode\r\n--line' });
    expect(parseForm(Buffer.from(body), contentType)).toMatchObject({
      model: 'ear',
      fields: { model: 'ear', prompt: 'Ünïcode\r\n--line' },
      file: { name: 'utterance.wav', type: 'audio/wav', bytes: wav },
    });
  });
});

describe('usage', () => {
  const mind = { model: 'mind', server: 'mind.test:8000' };

  it('of a chat is counted in tokens, the cached ones among them', () => {
    const given = { prompt_tokens: 100, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 64 } };
    expect(chatUsage({ ...mind, usage: given })).toMatchObject({
      model: 'mind',
      provider: 'mind.test:8000',
      source: 'chat',
      inputTextTokens: 100,
      cachedTextTokens: 64,
      outputTextTokens: 7,
    });
  });

  it.each([
    undefined,
    null,
    'much',
    { prompt_tokens: -1 },
    { prompt_tokens: 'many', prompt_tokens_details: null },
  ])('of a chat that says %j is nothing', (given) => {
    expect(chatUsage({ ...mind, usage: given })).toMatchObject({
      inputTextTokens: 0,
      outputTextTokens: 0,
      cachedTextTokens: 0,
    });
  });

  it('of a transcript is what the server says, or the length of the sound', () => {
    const ear = { model: 'ear', server: 'ear.test' };
    const from = { source: 'transcription', provider: 'ear.test' };
    expect(heardUsage({ ...ear, usage: undefined }, 2.5)).toMatchObject({ ...from, seconds: 2.5 });
    const counted = { ...ear, usage: { type: 'duration', seconds: 3 } };
    expect(heardUsage(counted, 2.5)).toMatchObject({ ...from, seconds: 3 });
    const tokens = {
      type: 'tokens',
      input_token_details: { audio_tokens: 30, text_tokens: 2 },
      output_tokens: 9,
    };
    expect(heardUsage({ ...ear, usage: tokens }, 2.5)).toMatchObject({
      seconds: 0,
      inputAudioTokens: 30,
      outputTextTokens: 9,
    });
  });

  it('of speech is characters and seconds', () => {
    expect(spokenUsage({ model: 'mouth', server: 'host', characters: 12, ms: 900 })).toMatchObject({
      source: 'speech',
      provider: 'host',
      characters: 12,
      seconds: 0.9,
    });
  });
});

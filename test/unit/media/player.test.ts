import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Codec } from '../../../src/media/frame.ts';
import { encode, transcode } from '../../../src/media/g711.ts';
import { Player } from '../../../src/media/player.ts';
import { loadSound } from '../../../src/media/sound-file.ts';
import { Collector } from '../../support/media/parts.ts';
import { toneLevels } from '../../support/tones.ts';

function play(player: Player, ticks: number): Collector {
  const sink = new Collector();
  player.sinks = [sink];
  for (let tick = 0; tick < ticks; tick++) player.tick();
  return sink;
}

describe('a player', () => {
  it.each<Codec>(['pcmu', 'pcma'])(
    'plays a tone in %s, at its frequency and level, without a click',
    (codec) => {
      const player = Player.tone('p', codec, { frequencyHz: 440, level: -10 });
      const { frames } = play(player, 100);
      const payloads = frames.map((frame) => frame.payload);
      const [at440 = 0, at300 = 0, at880 = 0] = toneLevels(payloads, codec, [440, 300, 880]);
      expect(Math.abs(at440 + 10)).toBeLessThan(1);
      expect(Math.max(at300, at880)).toBeLessThan(-45);
      expect(frames.every((frame) => frame.codec === codec && frame.payload.length === 160)).toBe(true);
    },
  );

  it('plays a recording once, the last frame filled with silence', () => {
    const sound = Uint8Array.from({ length: 400 }, (_, i) => 1 + (i % 7));
    const { frames } = play(Player.recording('p', 'pcma', sound, false), 10);
    expect(frames).toHaveLength(3);
    const heard = Buffer.concat(frames.map((frame) => frame.payload));
    expect(heard.subarray(0, 400)).toEqual(Buffer.from(sound));
    expect(heard.subarray(400).every((byte) => byte === 0xd5)).toBe(true);
  });

  it('plays it for ever when asked', () => {
    const sound = Uint8Array.from({ length: 320 }, (_, i) => (i < 160 ? 1 : 2));
    const { frames } = play(Player.recording('p', 'pcmu', sound, true), 7);
    expect(frames.map((frame) => frame.payload[0])).toEqual([1, 2, 1, 2, 1, 2, 1]);
  });

  it('plays nothing from an empty recording, looped or not', () => {
    for (const loop of [true, false]) {
      expect(play(Player.recording('p', 'pcmu', new Uint8Array(0), loop), 5).frames).toEqual([]);
    }
  });

  it('marks where it begins, and keeps its line', () => {
    const { frames } = play(Player.tone('p', 'pcmu', { frequencyHz: 440, level: -10 }), 20);
    expect(frames.map((frame) => frame.marker)).toEqual([true, ...Array<boolean>(19).fill(false)]);
    const steps = frames
      .slice(1)
      .map((frame, i) => (frame.rtpTimestamp - (frames[i]?.rtpTimestamp ?? 0)) >>> 0);
    expect(new Set(steps)).toEqual(new Set([160]));
  });

  it('stands still while nobody listens', () => {
    const sound = Uint8Array.from({ length: 480 }, (_, i) => Math.floor(i / 160));
    const player = Player.recording('p', 'pcmu', sound, false);
    const before = play(player, 1);
    player.sinks = [];
    for (let tick = 0; tick < 50; tick++) player.tick();
    const after = play(player, 5);
    expect([...before.frames, ...after.frames].map((frame) => frame.payload[0])).toEqual([0, 1, 2]);
    player.close();
  });
});

describe('sound files', () => {
  let folder = '';
  const samples = Int16Array.from({ length: 1000 }, (_, i) => Math.round(8000 * Math.sin(i / 10)));
  const linear = Buffer.from(samples.buffer);
  const pcmu = new Uint8Array(1000);
  const pcma = new Uint8Array(1000);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sound-'));
    encode('pcmu', samples, pcmu);
    encode('pcma', samples, pcma);
  });

  afterAll(() => rm(folder, { recursive: true }));

  interface Wave {
    format?: number;
    channels?: number;
    rateHz?: number;
    bits?: number;
    data?: Uint8Array;
    before?: Buffer;
  }

  function wave({ format = 1, channels = 1, rateHz = 8000, bits = 16, data = linear, before }: Wave): Buffer {
    const head = Buffer.alloc(36);
    head.write('RIFF', 0, 'latin1');
    head.write('WAVEfmt ', 8, 'latin1');
    head.writeUInt32LE(16, 16);
    head.writeUInt16LE(format, 20);
    head.writeUInt16LE(channels, 22);
    head.writeUInt32LE(rateHz, 24);
    head.writeUInt16LE(bits, 34);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(data.length);
    return Buffer.concat([head, before ?? Buffer.alloc(0), Buffer.from('data'), size, data]);
  }

  async function file(name: string, content: Uint8Array): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  }

  it('are WAV of 16 bits, µ-law and A-law, in whatever law is wanted', async () => {
    expect(await loadSound(await file('a.wav', wave({})), 'pcmu')).toEqual(pcmu);
    expect(await loadSound(await file('a.wav', wave({})), 'pcma')).toEqual(pcma);
    const ulaw = await file('u.wav', wave({ format: 7, bits: 8, data: pcmu }));
    expect(new Uint8Array(await loadSound(ulaw, 'pcmu'))).toEqual(pcmu);
    const translated = new Uint8Array(1000);
    transcode('pcmu', pcmu, translated);
    expect(await loadSound(ulaw, 'pcma')).toEqual(translated);
    const alaw = await file('l.wav', wave({ format: 6, bits: 8, data: pcma }));
    expect(new Uint8Array(await loadSound(alaw, 'pcma'))).toEqual(pcma);
  });

  it('are raw by their ending', async () => {
    expect(new Uint8Array(await loadSound(await file('x.ULAW', pcmu), 'pcmu'))).toEqual(pcmu);
    expect(new Uint8Array(await loadSound(await file('x.al', pcma), 'pcma'))).toEqual(pcma);
    expect(await loadSound(await file('x.raw', linear), 'pcmu')).toEqual(pcmu);
  });

  it('may hold other chunks, of odd length too', async () => {
    const before = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1');
    expect(await loadSound(await file('b.wav', wave({ before })), 'pcmu')).toEqual(pcmu);
  });

  it('that are cut short play what is there', async () => {
    const whole = wave({});
    const cut = await loadSound(await file('c.wav', whole.subarray(0, whole.length - 1000)), 'pcmu');
    expect(cut).toEqual(pcmu.subarray(0, 500));
  });

  it.each<[string, Buffer]>([
    ['stereo.wav', wave({ channels: 2 })],
    ['48k.wav', wave({ rateHz: 48_000 })],
    ['8bit.wav', wave({ bits: 8 })],
    ['mp3.wav', wave({ format: 85 })],
    ['short.wav', wave({}).subarray(0, 30)],
    ['headless.wav', wave({}).subarray(0, 36)],
    ['text.txt', Buffer.from('hello')],
    ['empty.wav', Buffer.alloc(0)],
  ])('that cannot be played are refused with the reason: %s', async (name, content) => {
    await expect(loadSound(await file(name, content), 'pcmu')).rejects.toMatchObject({
      code: 'MEDIA_FILE_UNPLAYABLE',
      detail: expect.stringContaining(name) as string,
    });
  });

  it('that are not there are refused', async () => {
    await expect(loadSound(join(folder, 'nothing.wav'), 'pcmu')).rejects.toMatchObject({
      code: 'MEDIA_FILE_UNPLAYABLE',
    });
    await expect(loadSound(folder, 'pcmu')).rejects.toMatchObject({ code: 'MEDIA_FILE_UNPLAYABLE' });
  });
});

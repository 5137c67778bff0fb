import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSound } from '../../../src/media/sound-file.ts';
import { WavWriter } from '../../../src/media/wav-writer.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'trunkline-wav-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const ramp = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index % 251);

describe('WavWriter', () => {
  it.each([
    ['pcmu', 7],
    ['pcma', 6],
  ] as const)('writes %s that a player reads back byte for byte', async (codec, format) => {
    const path = join(folder, `${codec}.wav`);
    const writer = await WavWriter.create({ path, codec });
    const sound = ramp(20_123);
    for (let from = 0; from < sound.length; from += 160) writer.write(sound.subarray(from, from + 160));
    expect(await writer.close()).toBe(2515);
    expect(new Uint8Array(await loadSound(path, codec))).toEqual(sound);
    const file = readFileSync(path);
    expect(file.readUInt32LE(4)).toBe(file.length - 8);
    expect([file.readUInt16LE(20), file.readUInt16LE(22), file.readUInt32LE(24)]).toEqual([format, 1, 8000]);
  });

  it('is a whole file even without sound', async () => {
    const path = join(folder, 'empty.wav');
    const writer = await WavWriter.create({ path, codec: 'pcmu' });
    expect(await writer.close()).toBe(0);
    expect(await loadSound(path, 'pcmu')).toHaveLength(0);
  });

  it('is for the owner alone, and never writes over a file', async () => {
    const path = join(folder, 'once.wav');
    const writer = await WavWriter.create({ path, codec: 'pcmu' });
    await writer.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await expect(WavWriter.create({ path, codec: 'pcmu' })).rejects.toMatchObject({
      code: 'RECORDING_FAILED',
    });
  });

  it('tells a folder that is not there', async () => {
    const path = join(folder, 'missing', 'x.wav');
    await expect(WavWriter.create({ path, codec: 'pcmu' })).rejects.toMatchObject({
      code: 'RECORDING_FAILED',
    });
  });

  it('takes a copy, closes once, and is deaf afterwards', async () => {
    const path = join(folder, 'copy.wav');
    const writer = await WavWriter.create({ path, codec: 'pcmu' });
    const frame = new Uint8Array(160).fill(5);
    writer.write(frame);
    frame.fill(9);
    const closing = writer.close();
    expect(writer.close()).toBe(closing);
    writer.write(frame);
    await closing;
    expect(new Set(await loadSound(path, 'pcmu'))).toEqual(new Set([5]));
    expect(writer.writtenMs).toBe(20);
  });
});

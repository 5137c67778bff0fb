import { describe, expect, it } from 'vitest';
import { AppendBatch } from '../../../../src/agent/models/voice-socket/append.ts';
import { gap_fill_ms_max } from '../../../../src/agent/models/voice-socket/limits.ts';
import type { Codec } from '../../../../src/media/frame.ts';
import { clientEventSchema } from '../../../support/realtime-server/client-schema.ts';

/** A batch whose messages are parsed as the server would parse them. */
function recorded(appendMs: number, codec: Codec = 'pcmu'): { batch: AppendBatch; sent: Buffer[] } {
  const sent: Buffer[] = [];
  const send = (message: Uint8Array): void => {
    const event = clientEventSchema.parse(JSON.parse(Buffer.from(message).toString()));
    if (event.type !== 'input_audio_buffer.append') throw new Error(event.type);
    sent.push(Buffer.from(event.audio, 'base64'));
  };
  return { batch: new AppendBatch({ type: 'input_audio_buffer.append', appendMs, codec, send }), sent };
}

const frame = (value: number, length = 160): Uint8Array => new Uint8Array(length).fill(value);

describe('the batch of sound', () => {
  it.each([20, 40, 60])('of %i ms goes out when it is full, and not before', (appendMs) => {
    const { batch, sent } = recorded(appendMs);
    const count = appendMs / 20;
    for (let index = 1; index <= 2 * count; index += 1) {
      batch.add(frame(index), 0);
      expect(sent).toHaveLength(Math.floor(index / count));
    }
    const [first] = sent;
    expect(first).toHaveLength(appendMs * 8);
    expect(first?.[0]).toBe(1);
    expect(first?.at(-1)).toBe(count);
  });

  it('reuses its buffer without mixing batches', () => {
    const { batch, sent } = recorded(20);
    batch.add(frame(1), 0);
    batch.add(frame(2), 0);
    expect(sent.map((bytes) => bytes[0])).toEqual([1, 2]);
    expect(sent[0]?.every((byte) => byte === 1)).toBe(true);
  });

  it('takes frames of any length, in order', () => {
    const { batch, sent } = recorded(20);
    const sound = Uint8Array.from({ length: 800 }, (_, index) => index % 251);
    for (const [start, end] of [
      [0, 1],
      [1, 80],
      [80, 500],
      [500, 800],
    ])
      batch.add(sound.subarray(start, end), 0);
    expect(Buffer.concat(sent).equals(sound)).toBe(true);
  });

  it('pins no other memory', () => {
    const messages: Uint8Array[] = [];
    const send = (message: Uint8Array): void => void messages.push(message);
    const type = 'input_audio_buffer.append';
    new AppendBatch({ type, appendMs: 20, codec: 'pcmu', send }).add(frame(1), 0);
    expect(messages.map((message) => message.buffer.byteLength)).toEqual([messages[0]?.length]);
  });

  it('takes an empty frame for nothing', () => {
    const { batch, sent } = recorded(20);
    batch.add(new Uint8Array(), 0);
    expect(sent).toEqual([]);
  });

  it.each([
    { codec: 'pcmu' as const, silence: 0xff },
    { codec: 'pcma' as const, silence: 0xd5 },
  ])('fills a gap with the silence of $codec', ({ codec, silence }) => {
    const { batch, sent } = recorded(20, codec);
    batch.add(frame(1), 0);
    batch.add(frame(2), 50);
    batch.add(frame(3, 80), 0);
    const sound = Buffer.concat(sent);
    expect(sound).toHaveLength(800);
    expect(sound.subarray(160, 560).every((byte) => byte === silence)).toBe(true);
    expect(sound[559 + 1]).toBe(2);
    expect(sound.at(-1)).toBe(3);
  });

  it('fills no more than the limit, and nothing for a gap below zero', () => {
    const { batch, sent } = recorded(20);
    batch.add(frame(1), 3_600_000);
    expect(sent).toHaveLength(gap_fill_ms_max / 20 + 1);
    batch.add(frame(1), -20);
    expect(sent).toHaveLength(gap_fill_ms_max / 20 + 2);
  });
});

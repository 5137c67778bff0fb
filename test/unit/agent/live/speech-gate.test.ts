import { describe, expect, it } from 'vitest';
import { lead_ms, quiet_level_max, quiet_ms } from '../../../../src/agent/models/live/limits.ts';
import { SpeechGate } from '../../../../src/agent/models/live/speech-gate.ts';
import type { Codec } from '../../../../src/media/frame.ts';
import { encode, G711 } from '../../../../src/media/g711.ts';
import { cannedSound } from '../../../support/realtime-server/canned-sound.ts';

interface Gated {
  readonly gate: SpeechGate;
  readonly told: string[];
  /** Sound told of each reply, in ms. */
  readonly replies: number[];
}

function gated(codec: Codec = 'pcmu'): Gated {
  const told: string[] = [];
  const replies: number[] = [];
  const gate = new SpeechGate({
    codec,
    began: () => {
      told.push('began');
      replies.push(0);
    },
    sound: (bytes) => (replies[replies.length - 1] = (replies.at(-1) ?? 0) + bytes.length / 8),
    ended: () => told.push('ended'),
  });
  return { gate, told, replies };
}

const silence = (ms: number, codec: Codec = 'pcmu'): Uint8Array =>
  new Uint8Array(ms * 8).fill(G711[codec].silence);

function level(codec: Codec, amplitude: number, ms: number): Uint8Array {
  const samples = new Int16Array(ms * 8).map((_, index) => (index % 2 === 0 ? amplitude : -amplitude));
  const bytes = new Uint8Array(samples.length);
  encode(codec, samples, bytes);
  return bytes;
}

describe('the gate', () => {
  it('makes a reply of sound between silences', () => {
    const { gate, told, replies } = gated();
    gate.take(silence(500));
    expect(told).toEqual([]);
    gate.take(cannedSound(400));
    expect(told).toEqual(['began']);
    gate.take(silence(quiet_ms - 20));
    expect(told).toEqual(['began']);
    gate.take(silence(20));
    expect(told).toEqual(['began', 'ended']);
    expect(replies).toEqual([400 + quiet_ms]);
    expect(gate.state).toBe('quiet');
  });

  it('holds back the first sound until some is in hand', () => {
    const { gate, told } = gated();
    gate.take(cannedSound(lead_ms - 20));
    expect(gate.state).toBe('lead');
    expect(told).toEqual([]);
    gate.take(cannedSound(20));
    expect(told).toEqual(['began']);
    expect(gate.state).toBe('speaking');
  });

  it('tells a short sound too, when its silence comes', () => {
    const { gate, told, replies } = gated();
    gate.take(cannedSound(20));
    gate.take(silence(quiet_ms));
    expect(told).toEqual(['began', 'ended']);
    expect(replies).toEqual([20 + quiet_ms]);
  });

  it('takes a pause within a sentence for no end', () => {
    const { gate, told, replies } = gated();
    gate.take(cannedSound(200));
    gate.take(silence(quiet_ms - 40));
    gate.take(cannedSound(200));
    gate.take(silence(quiet_ms));
    expect(told).toEqual(['began', 'ended']);
    expect(replies).toEqual([200 + quiet_ms - 40 + 200 + quiet_ms]);
  });

  it('makes two replies of two sentences', () => {
    const { gate, told, replies } = gated();
    for (let sentence = 0; sentence < 2; sentence += 1) {
      gate.take(cannedSound(300));
      gate.take(silence(quiet_ms + 100));
    }
    expect(told).toEqual(['began', 'ended', 'began', 'ended']);
    expect(replies).toEqual([300 + quiet_ms, 300 + quiet_ms]);
  });

  it('tells nothing more of a reply that was muted, and all of the next', () => {
    const { gate, told, replies } = gated();
    gate.take(cannedSound(200));
    gate.mute();
    expect(gate.state).toBe('muted');
    gate.take(cannedSound(600));
    gate.take(silence(quiet_ms));
    expect(told).toEqual(['began']);
    expect(replies).toEqual([200]);
    gate.take(cannedSound(200));
    gate.take(silence(quiet_ms));
    expect(told).toEqual(['began', 'began', 'ended']);
  });

  it('has nothing to mute while it is quiet', () => {
    const { gate, told } = gated();
    gate.mute();
    expect(gate.state).toBe('quiet');
    gate.take(cannedSound(200));
    expect(told).toEqual(['began']);
  });

  it('forgets what it held back when it is muted at once', () => {
    const { gate, told, replies } = gated();
    gate.take(cannedSound(40));
    gate.mute();
    gate.take(silence(quiet_ms));
    expect(told).toEqual([]);
    expect(replies).toEqual([]);
    expect(gate.state).toBe('quiet');
  });

  it('ends a reply when the line breaks off, once', () => {
    const { gate, told, replies } = gated();
    gate.take(cannedSound(60));
    gate.finish();
    gate.finish();
    expect(told).toEqual(['began', 'ended']);
    expect(replies).toEqual([60]);
  });

  it.each(['pcmu', 'pcma'] as const)('knows quiet from loud by level, in %s', (codec) => {
    const { gate, told } = gated(codec);
    gate.take(level(codec, quiet_level_max / 2, 400));
    gate.take(silence(200, codec));
    expect(told).toEqual([]);
    gate.take(level(codec, quiet_level_max * 4, 400));
    expect(told).toEqual(['began']);
  });

  it('takes pieces of any length, and loses none of their sound', () => {
    const { gate, replies } = gated();
    const sound = cannedSound(1000);
    for (let at = 0; at < sound.length; at += 333) gate.take(sound.subarray(at, at + 333));
    gate.finish();
    expect(replies).toEqual([1000]);
  });
});

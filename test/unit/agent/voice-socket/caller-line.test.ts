/** What a server gets to hear of a caller whose line falls silent. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { AppendType } from '../../../../src/agent/models/voice-socket/append.ts';
import { CallerLine } from '../../../../src/agent/models/voice-socket/caller-line.ts';
import {
  caller_quiet_ms,
  filler_ms,
  turn_silence_ms_max,
} from '../../../../src/agent/models/voice-socket/limits.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { cannedSound } from '../../../support/realtime-server/canned-sound.ts';

const types: AppendType[] = ['input_audio_buffer.append', 'session.input_audio.append'];

describe.each(types)('the caller’s line by %s', (type) => {
  let clock: ManualClock;
  let sentMs: number;
  let silentMs: number;
  let line: CallerLine;

  beforeEach(() => {
    sentMs = silentMs = 0;
    clock = new ManualClock();
    line = new CallerLine({
      ...{ clock, type, appendMs: 20 },
      codec: 'pcmu',
      send: (message) => {
        const sent = JSON.parse(Buffer.from(message).toString()) as { type: string; audio: string };
        expect(sent.type).toBe(type);
        const bytes = Buffer.from(sent.audio, 'base64');
        sentMs += bytes.length / 8;
        if (bytes.every((byte) => byte === 0xff)) silentMs += bytes.length / 8;
      },
    });
  });

  const frame = cannedSound(20);
  const speak = (ms: number): void => {
    for (let at = 0; at < ms; at += 20) {
      line.hear(frame, 0);
      clock.advance(20);
    }
  };

  it('carries sound as it comes', () => {
    speak(1000);
    expect(sentMs).toBe(1000);
    expect(silentMs).toBe(0);
  });

  it('carries silence while nothing comes', () => {
    speak(200);
    clock.advance(2000);
    expect(silentMs).toBeGreaterThanOrEqual(2000 - caller_quiet_ms - filler_ms);
    expect(silentMs).toBeLessThanOrEqual(2000);
  });

  it('keeps true time over a gap that it has filled already', () => {
    speak(200);
    clock.advance(1000);
    line.hear(frame, 1000);
    expect(sentMs).toBeGreaterThanOrEqual(200 + 1000 + 20 - filler_ms);
    expect(sentMs).toBeLessThanOrEqual(200 + 1000 + 20 + filler_ms);
  });

  it('fills a short gap, which it has not noticed, once', () => {
    speak(200);
    line.hear(frame, 60);
    expect(sentMs).toBe(280);
    expect(silentMs).toBe(60);
  });

  it('waits for the first sound, unless it is told to begin', () => {
    clock.advance(5000);
    expect(sentMs).toBe(0);
    expect(clock.pending).toBe(0);
    line.begin();
    clock.advance(1000);
    expect(silentMs).toBeGreaterThanOrEqual(1000 - caller_quiet_ms);
  });

  it('ends a turn with silence, and begins again with sound', () => {
    speak(200);
    clock.advance(2 * turn_silence_ms_max);
    const endless = type === 'session.input_audio.append';
    expect(clock.pending).toBe(endless ? 1 : 0);
    if (endless) expect(silentMs).toBeGreaterThan(turn_silence_ms_max);
    else expect(silentMs).toBe(turn_silence_ms_max);
    const before = silentMs;
    speak(200);
    clock.advance(1000);
    expect(silentMs).toBeGreaterThanOrEqual(before + 1000 - caller_quiet_ms);
  });

  it('is silent for good when it is closed', () => {
    speak(20);
    line.close();
    clock.advance(5000);
    expect(sentMs).toBe(20);
    expect(clock.pending).toBe(0);
  });
});

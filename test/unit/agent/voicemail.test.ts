import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Farewell } from '../../../src/agent/farewell.ts';
import { fallbackSchema, type HandOver } from '../../../src/agent/failover-settings.ts';
import { HandingOver } from '../../../src/agent/handing-over.ts';
import type { VoiceEvent } from '../../../src/agent/voice-control.ts';
import { Voicemail } from '../../../src/agent/voicemail.ts';
import { loadSound } from '../../../src/media/sound-file.ts';
import { until } from '../../support/until.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'trunkline-voicemail-'))));
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 10 }));

type Settings = Extract<HandOver, { type: 'voicemail' }>;
const settings = fallbackSchema.parse({
  type: 'voicemail',
  message_ms_max: 5000,
  silence_ms: 1000,
}) as Settings;
const frame = new Uint8Array(160).fill(0x20);

/** The file's sound once it is `ms` long. */
async function fileOf(path: string, ms: number): Promise<Uint8Array> {
  let bytes = new Uint8Array();
  await until('the file is whole', () => {
    loadSound(path, 'pcmu').then(
      (read) => (bytes = new Uint8Array(read)),
      () => undefined,
    );
    return bytes.length === ms * 8;
  });
  return bytes;
}

describe('Voicemail', () => {
  let count = 0;
  const failures: unknown[] = [];
  const open = (): Voicemail =>
    new Voicemail({
      path: join(folder, `message-${(count += 1)}.wav`),
      codec: 'pcmu',
      settings,
      failed: (failure) => failures.push(failure),
    });

  it('keeps the sound that came before the file was open', async () => {
    const voicemail = open();
    for (let index = 0; index < 10; index += 1) voicemail.hear(frame, 0);
    voicemail.end();
    voicemail.end();
    voicemail.hear(frame, 0);
    expect(voicemail.recordedMs).toBe(200);
    expect(new Set(await fileOf(voicemail.path, 200))).toEqual(new Set([0x20]));
  });

  it('writes gaps as silence, but no more than two seconds', async () => {
    const voicemail = open();
    await until('the file is open', () => existsSync(voicemail.path) && statSync(voicemail.path).size === 58);
    await setImmediate();
    voicemail.hear(frame, 100);
    voicemail.hear(frame, 60_000);
    voicemail.end();
    expect(voicemail.recordedMs).toBe(100 + 20 + 2000 + 20);
    const bytes = await fileOf(voicemail.path, 2140);
    expect(new Set(bytes.subarray(0, 800))).toEqual(new Set([0xff]));
    expect(bytes[800]).toBe(0x20);
  });

  it('is over after silence, or when it is long enough', () => {
    const voicemail = open();
    for (let tick = 1; tick < 50; tick += 1) expect(voicemail.tick(false)).toBe(false);
    expect(voicemail.tick(true)).toBe(false);
    for (let tick = 1; tick < 50; tick += 1) expect(voicemail.tick(false)).toBe(false);
    expect(voicemail.tick(false)).toBe(true);
    const other = open();
    for (let index = 0; index < 250; index += 1) other.hear(frame, 0);
    expect(other.tick(true)).toBe(true);
    voicemail.end();
    other.end();
    expect(other.tick(true)).toBe(false);
  });

  it('tells that it cannot write', async () => {
    const path = join(folder, 'no', 'such', 'folder.wav');
    new Voicemail({ path, codec: 'pcmu', settings, failed: (failure) => failures.push(failure) });
    await until('it failed', () => failures.length > 0);
    expect(failures).toMatchObject([{ code: 'RECORDING_FAILED' }]);
  });
});

describe('HandingOver', () => {
  const human = fallbackSchema.parse({ type: 'human', say: 'A colleague.' }) as HandOver;

  interface Stand {
    handing: HandingOver;
    said: string[];
    events: VoiceEvent[];
    refused: string[];
    farewell: Farewell;
  }
  function stand(where: string | null): Stand {
    const [said, events, refused]: [string[], VoiceEvent[], string[]] = [[], [], []];
    const farewell = new Farewell();
    const handing = new HandingOver({
      callId: 'call-9',
      codec: 'pcmu',
      folder: where,
      farewell,
      say: (text) => said.push(text),
      tone: () => said.push('(tone)'),
      report: (event) => events.push(event),
      refused: (detail) => refused.push(detail),
    });
    return { handing, said, events, refused, farewell };
  }

  it('says first, and asks then, once', () => {
    const { handing, said, events } = stand(folder);
    handing.spoken();
    expect(handing.failed()).toBe(false);
    handing.begin(human);
    expect([said, events, handing.waiting]).toEqual([['A colleague.'], [], false]);
    handing.spoken();
    handing.spoken();
    expect(events).toEqual([{ type: 'hand_over', to: human }]);
    expect(handing.waiting).toBe(true);
    expect(handing.failed()).toBe(true);
    expect(handing.failed()).toBe(false);
    expect(handing.waiting).toBe(false);
  });

  it('records after the tone, thanks, and ends the call', () => {
    const { handing, said, events, farewell } = stand(folder);
    handing.begin(settings);
    expect(said).toEqual([settings.say, '(tone)']);
    handing.hear(frame, 0);
    expect(handing.recording).toBe(false);
    handing.spoken();
    expect(handing.recording).toBe(true);
    for (let index = 0; index < 100; index += 1) {
      handing.hear(frame, 0);
      handing.tick(index < 40);
    }
    expect(handing.recording).toBe(false);
    expect(said.at(-1)).toBe(settings.thanks);
    expect(events).toEqual([{ type: 'voicemail', path: join(folder, 'call-9.wav'), recordedMs: 1800 }]);
    expect(farewell.ordered).toBe(true);
    handing.close();
    expect(events).toHaveLength(1);
  });

  it('is refused at once where messages have no place', () => {
    const { handing, said, refused } = stand(null);
    handing.begin(settings);
    expect([said, refused]).toEqual([[], ['no folder for messages']]);
  });
});

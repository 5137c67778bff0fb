/** The desk's part of a gateway: what stops its start, and who reads briefings out. */
import { afterEach, describe, expect, it } from 'vitest';
import { loadSettings, readEnvironment, type Settings } from '../../../src/config.ts';
import { ClosingOrder } from '../../../src/gateway/closing-order.ts';
import { startDesk } from '../../../src/gateway/start-desk.ts';
import { Journal } from '../../../src/room/journal.ts';
import { silentLog } from '../../support/sfu.ts';
import { levelDbfs } from '../../support/sound/level.ts';
import { decodeWav } from '../../support/sound/wav.ts';

const order = new ClosingOrder(silentLog);
const journal = new Journal();

function settings(hold_music = ''): Settings {
  const shipped = loadSettings(readEnvironment({}));
  return { ...shipped, config: { ...shipped.config, desk: { ...shipped.config.desk, hold_music } } };
}

afterEach(() => order.close());

describe('the desk of a gateway', () => {
  it('speaks a briefing as a sound that every browser plays', async () => {
    const desk = await startDesk({ settings: settings(), journal, log: silentLog }, order);
    const wav = decodeWav(Buffer.from(await desk.speak('Emily Wilson has a fever.')));
    const [samples = new Int16Array(0)] = wav.channels;
    expect(wav.sampleRateHz).toBe(8000);
    expect(samples.length).toBeGreaterThan(8000);
    expect(levelDbfs(samples)).toBeGreaterThan(-35);
  });

  it('does not start with music that cannot be played: better now than while a caller waits', async () => {
    const starting = startDesk({ settings: settings('/nowhere.wav'), journal, log: silentLog }, order);
    await expect(starting).rejects.toMatchObject({ code: 'MEDIA_FILE_UNPLAYABLE' });
  });
});

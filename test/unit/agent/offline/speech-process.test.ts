import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SpeechProcess } from '../../../../src/agent/models/offline/speech-process.ts';

/** A real child that answers, refuses, keeps silent or dies, as asked. */
const CHILD = `
const send = (type, more) => process.send({ type, ...more });
process.on('message', ({ requestId, what }) => {
  if (what === 'die') process.exit(3);
  if (what === 'unplug') {
    process.removeAllListeners('disconnect');
    setInterval(() => undefined, 1000);
    process.disconnect();
  }
  if (what === 'refuse') send('refused', { requestId, code: 'PROFILE_UNSPEAKABLE', detail: 'no' });
  if (what === 'odd') process.send({ type: 'refused', requestId, code: 'NO_SUCH_CODE', detail: 'no' });
  if (what === 'answer') send('done', { requestId, result: Uint8Array.of(1, 2, process.argv.length) });
  if (what === 'nonsense') process.send({ hello: 'world' });
});
process.on('disconnect', () => process.exit(0));
process.send({ type: 'up' });
`;

let folder: string;
let script: URL;
let speech: SpeechProcess;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trunkline-process-'));
  const path = join(folder, 'child.mjs');
  writeFileSync(path, CHILD);
  script = pathToFileURL(path);
});
afterEach(() => speech.close());
afterAll(() => rmSync(folder, { recursive: true }));

async function start(): Promise<SpeechProcess> {
  speech = new SpeechProcess({ script, args: ['extra'] });
  expect(await speech.whenUp(10_000)).toBe(true);
  return speech;
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('SpeechProcess', () => {
  it('answers requests with bytes', async () => {
    await start();
    expect(await speech.ask({ what: 'answer' }, 5000)).toEqual(Uint8Array.of(1, 2, 3));
    const many = Array.from({ length: 20 }, () => speech.ask({ what: 'answer' }, 5000));
    expect(await Promise.all(many)).toHaveLength(20);
  });

  it('passes a refusal on with its code', async () => {
    await start();
    await expect(speech.ask({ what: 'refuse' }, 5000)).rejects.toMatchObject({ code: 'PROFILE_UNSPEAKABLE' });
    await expect(speech.ask({ what: 'odd' }, 5000)).rejects.toMatchObject({ code: 'SPEECH_UNAVAILABLE' });
  });

  it('does not wait for ever', async () => {
    await start();
    await expect(speech.ask({ what: 'nothing' }, 50)).rejects.toThrow('no answer within 50 ms');
    await expect(speech.ask({ what: 'nonsense' }, 50)).rejects.toThrow('no answer within 50 ms');
  });

  it('is down as soon as it cannot be asked, and is replaced though it would live on', async () => {
    await start();
    const { pid } = speech;
    const asked = speech.ask({ what: 'unplug' }, 5000);
    await expect(asked).rejects.toMatchObject({ code: 'SPEECH_UNAVAILABLE' });
    expect(speech.isUp).toBe(false);
    expect(await speech.whenUp(10_000)).toBe(true);
    expect(speech.pid).not.toBe(pid);
    expect(alive(pid ?? 0)).toBe(false);
    expect(await speech.ask({ what: 'answer' }, 5000)).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('is started again when it dies, and what was under way is refused', async () => {
    await start();
    const first = speech.pid;
    const down = new Promise<{ detail: string }>((resolve) => speech.events.once('down', resolve));
    const waiting = speech.ask({ what: 'nothing' }, 60_000);
    const dying = speech.ask({ what: 'die' }, 60_000);
    await expect(waiting).rejects.toThrow('the speech process ended (exit code 3)');
    await expect(dying).rejects.toMatchObject({ code: 'SPEECH_UNAVAILABLE' });
    expect((await down).detail).toBe('exit code 3');
    expect(speech.isUp).toBe(false);
    await expect(speech.ask({ what: 'answer' }, 5000)).rejects.toThrow('not running');
    expect(await speech.whenUp(10_000)).toBe(true);
    expect(speech.pid).not.toBe(first);
    expect(await speech.ask({ what: 'answer' }, 5000)).toHaveLength(3);
  });

  it('survives being killed', async () => {
    await start();
    const down = new Promise<{ detail: string }>((resolve) => speech.events.once('down', resolve));
    process.kill(speech.pid ?? 0, 'SIGKILL');
    expect((await down).detail).toBe('SIGKILL');
    expect(await speech.whenUp(10_000)).toBe(true);
  });

  it('leaves no process behind when it is closed, and starts none', async () => {
    await start();
    const pid = speech.pid ?? 0;
    const waiting = expect(speech.ask({ what: 'nothing' }, 60_000)).rejects.toThrow('was closed');
    await speech.close();
    await waiting;
    expect(alive(pid)).toBe(false);
    expect(speech.isUp).toBe(false);
    expect(await speech.whenUp(10_000)).toBe(false);
    await speech.close();
  });

  it('takes no requests beyond its limit', async () => {
    await start();
    const waiting = Array.from({ length: 1000 }, () => speech.ask({ what: 'nothing' }, 60_000));
    const settled = Promise.allSettled(waiting);
    await expect(speech.ask({ what: 'answer' }, 5000)).rejects.toThrow('too many requests');
    await speech.close();
    expect((await settled).every((one) => one.status === 'rejected')).toBe(true);
  });
});

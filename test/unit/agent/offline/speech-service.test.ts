/** The inside of a speech process, in a process of its own, as its parent sees it. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const source = (path: string): string => new URL(`../../../../${path}`, import.meta.url).href;

/** A service that does as it is told. */
const SERVICE = `
import { z } from '${import.meta.resolve('zod')}';
import { TrunklineError } from '${source('src/base/errors.ts')}';
import { serveSpeech } from '${source('src/agent/models/offline/speech-service.ts')}';
const schema = z.strictObject({ what: z.string(), requestId: z.number().optional() });
serveSpeech(schema, ({ what }) => {
  if (what === 'bytes') return Uint8Array.of(1, 2, 3);
  if (what === 'refuse') throw new TrunklineError('PROFILE_UNSPEAKABLE', 'nobody can say that');
  if (what === 'break') throw new Error('it fell over');
});
`;

let folder: string;
let path: string;
let child: ChildProcess;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trunkline-service-'));
  path = join(folder, 'service.mts');
  writeFileSync(path, SERVICE);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function message(): Promise<unknown> {
  const [told] = (await once(child, 'message')) as [unknown];
  return told;
}

async function ask(request: unknown): Promise<unknown> {
  const answer = message();
  child.send(request as object);
  return answer;
}

const ended = async (): Promise<unknown> => {
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
};

beforeEach(async () => {
  child = fork(path, [], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  expect(await message()).toEqual({ type: 'up' });
});
afterEach(() => child.kill('SIGKILL'));

describe('a speech service', () => {
  it('answers in the order it is asked, with bytes as bytes, and works on after a refusal', async () => {
    expect(await ask({ what: 'bytes', requestId: 7 })).toEqual({
      type: 'done',
      requestId: 7,
      result: Uint8Array.of(1, 2, 3),
    });
    expect(await ask({ what: 'refuse', requestId: 0 })).toEqual({
      type: 'refused',
      requestId: 0,
      code: 'PROFILE_UNSPEAKABLE',
      detail: 'nobody can say that',
    });
    expect(await ask({ what: 'break', requestId: 8 })).toEqual({
      type: 'refused',
      requestId: 8,
      code: 'SPEECH_UNAVAILABLE',
      detail: 'it fell over',
    });
    child.send({ what: 'bytes' });
    expect(await ask({ what: 'nothing', requestId: 9 })).toMatchObject({ type: 'done', requestId: 9 });
  });

  it('stands behind sound: it is nicer than the process that started it', () => {
    expect(getPriority(child.pid ?? 0)).toBe(5);
  });

  it.each([[{ what: 'break' }], [{ hello: 'world' }], ['nonsense']])(
    'ends when %j fails, which nobody waits for, so that another is started',
    async (request) => {
      child.send(request);
      expect(await ended()).toBe(1);
    },
  );

  it('goes when its parent goes', async () => {
    child.disconnect();
    expect(await ended()).toBe(0);
  });
});

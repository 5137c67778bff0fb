import { execFileSync } from 'node:child_process';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

const MODULE = new URL('../../../src/media/priority.ts', import.meta.url).href;

/** The niceness of a thread before and after, told by a worker that asks for it. */
async function inWorker(): Promise<{ refusal: string | null; before: number; after: number }> {
  const source = `
    const { parentPort } = require('node:worker_threads');
    const { readlinkSync } = require('node:fs');
    const { getPriority } = require('node:os');
    const thread = Number(readlinkSync('/proc/thread-self').split('/').pop());
    import(${JSON.stringify(MODULE)}).then(({ preferSound }) => {
      const before = getPriority(thread);
      const refusal = preferSound();
      parentPort.postMessage({ refusal, before, after: getPriority(thread) });
    });`;
  const worker = new Worker(source, { eval: true });
  const [told] = (await once(worker, 'message')) as [
    { refusal: string | null; before: number; after: number },
  ];
  await worker.terminate();
  return told;
}

/** A thread may only be put first with this right, or with a nice limit that allows it. */
function mayRaise(): boolean {
  const status = execFileSync('cat', ['/proc/self/status'], { encoding: 'utf8' });
  const rights = BigInt(`0x${/CapEff:\s*([0-9a-f]+)/.exec(status)?.[1] ?? '0'}`);
  return (rights & (1n << 23n)) !== 0n;
}

describe('a thread that carries sound', () => {
  it('goes before others where it may, and goes on where it may not', async () => {
    const main = getPriority();
    const { refusal, before, after } = await inWorker();
    if (mayRaise()) expect({ refusal, after }).toEqual({ refusal: null, after: -10 });
    else {
      expect(refusal).toMatch(/permission|EACCES|EPERM/i);
      expect(after).toBe(before);
    }
    expect(getPriority()).toBe(main);
  });
});

import { describe, expect, it } from 'vitest';
import { SerialQueue, tasks_waiting_max } from '../../../src/base/serial-queue.ts';

/** A promise that is settled from outside. */
function gate(): { opened: Promise<void>; open: () => void; fail: (error: Error) => void } {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  return { opened: promise, open: () => resolve(undefined), fail: reject };
}

describe('SerialQueue', () => {
  it('runs tasks one after another, in order', async () => {
    const queue = new SerialQueue();
    const seen: string[] = [];
    const first = gate();
    const one = queue.run(async () => {
      seen.push('one begins');
      await first.opened;
      seen.push('one ends');
    });
    const two = queue.run(() => {
      seen.push('two');
      return Promise.resolve();
    });
    await Promise.resolve();
    first.open();
    await Promise.all([one, two]);
    expect(seen).toEqual(['one begins', 'one ends', 'two']);
  });

  it('hands back what a task returns', async () => {
    expect(await new SerialQueue().run(() => Promise.resolve(42))).toBe(42);
  });

  it('goes on after a task that failed, and tells only its own caller', async () => {
    const queue = new SerialQueue();
    const failed = queue.run(() => Promise.reject(new Error('no')));
    const next = queue.run(() => Promise.resolve('yes'));
    await expect(failed).rejects.toThrow('no');
    await expect(next).resolves.toBe('yes');
  });

  it('is idle once everything given so far has run', async () => {
    const queue = new SerialQueue();
    const task = gate();
    let idle = false;
    const running = queue.run(() => task.opened);
    const waiting = queue.idle().then(() => (idle = true));
    await Promise.resolve();
    expect([idle, queue.size]).toEqual([false, 1]);
    task.open();
    await Promise.all([running, waiting]);
    expect([idle, queue.size]).toEqual([true, 0]);
  });

  it('refuses more tasks than the limit', async () => {
    const queue = new SerialQueue();
    const task = gate();
    const all = Array.from({ length: tasks_waiting_max }, () => queue.run(() => task.opened));
    await expect(queue.run(() => Promise.resolve())).rejects.toThrow('full');
    task.open();
    await Promise.all(all);
    await expect(queue.run(() => Promise.resolve('room again'))).resolves.toBe('room again');
  });
});

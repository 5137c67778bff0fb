import { describe, expect, it } from 'vitest';
import { Patience } from '../../../src/limits/shared-answer.ts';

describe('patience', () => {
  it('has the answer that comes in time', async () => {
    expect(await new Patience(1000).await(() => Promise.resolve(7))).toEqual({ answer: 7 });
    expect(await new Patience(1000).await(() => Promise.resolve(undefined))).toEqual({ answer: undefined });
  });

  it('has none of whoever fails, or takes too long', async () => {
    expect(await new Patience(1000).await(() => Promise.reject(new Error('away')))).toBeUndefined();
    expect(await new Patience(1).await(() => new Promise(() => undefined))).toBeUndefined();
  });

  it('is one for all that is asked, and nobody is asked when it is over', async () => {
    const patience = new Patience(5);
    let asked = 0;
    const never = (): Promise<number> => {
      asked += 1;
      return new Promise(() => undefined);
    };
    expect(await patience.await(never)).toBeUndefined();
    expect(await patience.await(never)).toBeUndefined();
    expect(asked).toBe(1);
  });

  it('takes an answer that arrived while this process was busy', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const told = new Patience(5).await(() => promise);
    // As from a socket: it is there when the process has time again, and read after timers that are due.
    setImmediate(() => resolve('in time'));
    const untilMs = performance.now() + 20;
    while (performance.now() < untilMs);
    expect(await told).toEqual({ answer: 'in time' });
  });
});

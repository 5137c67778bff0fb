import { describe, expect, it } from 'vitest';
import { Farewell } from '../../../src/agent/farewell.ts';

describe('Farewell', () => {
  it('is due at once when the model orders it and nothing is left to be said', () => {
    const farewell = new Farewell();
    expect(farewell.tick()).toBeNull();
    farewell.byModel('h1', { reason: 'booked' });
    expect(farewell.ordered).toBe(true);
    expect(farewell.tick()).toBe('booked');
    expect(farewell.ordered).toBe(false);
    expect(farewell.tick()).toBeNull();
  });

  it.each([[null], [{}], [{ reason: 5 }], ['bye']])('takes %j for a goodbye', (given) => {
    const farewell = new Farewell();
    farewell.byModel('h1', given);
    expect(farewell.tick()).toBe('goodbye');
  });

  it('gives a goodbye that was asked for five seconds to begin', () => {
    const farewell = new Farewell();
    farewell.afterGoodbye('idle');
    for (let tick = 1; tick < 250; tick += 1) expect(farewell.tick()).toBeNull();
    expect(farewell.tick()).toBe('idle');
  });

  it('waits no longer once the goodbye has begun', () => {
    const farewell = new Farewell();
    farewell.afterGoodbye('idle');
    expect(farewell.tick()).toBeNull();
    farewell.begun();
    expect(farewell.tick()).toBe('idle');
  });

  it('is taken back, with the tool call that is to be answered', () => {
    const farewell = new Farewell();
    farewell.byModel('h1', null);
    expect(farewell.takeBack()).toBe('h1');
    expect(farewell.takeBack()).toBeNull();
    farewell.afterGoodbye('idle');
    expect(farewell.takeBack()).toBeNull();
    expect(farewell.ordered).toBe(false);
  });
});

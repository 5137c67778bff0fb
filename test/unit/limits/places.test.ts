import { beforeEach, describe, expect, it } from 'vitest';
import { place_ms, Places } from '../../../src/limits/places.ts';
import { Patience } from '../../../src/limits/shared-answer.ts';
import { ManualClock } from '../../support/manual-clock.ts';

let clock: ManualClock;
let places: Places;
beforeEach(() => {
  clock = new ManualClock();
  places = new Places({ redis: undefined, prefix: 'test', name: 'calls', max: 2, clock });
});

const take = (id: string): ReturnType<Places['take']> => places.take(id, new Patience(100));

describe('places of one process', () => {
  it('are taken and given back, each once', async () => {
    expect(await take('a')).toEqual({ isFree: true, alone: true });
    expect(await take('b')).toEqual({ isFree: true, alone: true });
    expect(await take('c')).toMatchObject({ isFree: false });
    // It never had one.
    places.leave('c');
    expect(await take('d')).toMatchObject({ isFree: false });
    places.leave('a');
    places.leave('a');
    expect(await take('d')).toMatchObject({ isFree: true });
    expect(await take('e')).toMatchObject({ isFree: false });
  });

  it('are renewed while somebody holds one, and not a moment longer', async () => {
    await take('a');
    clock.advance(10 * place_ms);
    expect(clock.pending).toBe(1);
    places.leave('a');
    clock.advance(place_ms);
    expect(clock.pending).toBe(0);
    await take('b');
    expect(clock.pending).toBe(1);
    places.close();
    expect(clock.pending).toBe(0);
  });
});

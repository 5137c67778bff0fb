import { describe, expect, it } from 'vitest';
import { IdleWatch, type IdlePrompt } from '../../../src/agent/idle-watch.ts';
import { profile } from './voice-scene.ts';

/** Prompts within so many ms of silence. */
function silent(watch: IdleWatch, ms: number): IdlePrompt[] {
  return Array.from({ length: ms / 20 }, () => watch.tick()).filter((prompt) => prompt !== null);
}

describe('IdleWatch', () => {
  it('asks in turn, and says goodbye at last', () => {
    const watch = new IdleWatch(profile);
    expect(silent(watch, 1980)).toEqual([]);
    expect(silent(watch, 20)).toEqual([{ text: 'Are you there?', last: false }]);
    expect(silent(watch, 2000)).toEqual([{ text: 'Hello?', last: false }]);
    expect(silent(watch, 2000)).toEqual([{ text: 'Bye.', last: true }]);
    expect(silent(watch, 2000)).toEqual([{ text: 'Bye.', last: true }]);
  });

  it('measures anew when something happened, but does not forget what it asked', () => {
    const watch = new IdleWatch(profile);
    silent(watch, 2000);
    silent(watch, 1980);
    watch.stir();
    expect(silent(watch, 1980)).toEqual([]);
    expect(silent(watch, 20)).toEqual([{ text: 'Hello?', last: false }]);
  });

  it('begins from the first when the caller spoke', () => {
    const watch = new IdleWatch(profile);
    silent(watch, 4000);
    watch.callerSpoke();
    expect(silent(watch, 2000)).toEqual([{ text: 'Are you there?', last: false }]);
  });
});

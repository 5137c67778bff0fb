import { describe, expect, it } from 'vitest';
import { Emitter } from '../../../widget/client/emitter.ts';

interface Events {
  said: string;
  left: null;
}

describe('Emitter', () => {
  it('tells each listener of an event, in order, and no other', () => {
    const events = new Emitter<Events>();
    const told: string[] = [];
    events.on('said', (words) => told.push(`first ${words}`));
    events.on('said', (words) => told.push(`second ${words}`));
    events.on('left', () => told.push('left'));
    events.emit('said', 'hello');
    expect(told).toEqual(['first hello', 'second hello']);
  });

  it('forgets a listener that was taken away, even while it tells', () => {
    const events = new Emitter<Events>();
    const told: string[] = [];
    const stop = events.on('said', (words) => {
      told.push(words);
      stop();
    });
    events.on('said', (words) => told.push(words.toUpperCase()));
    events.emit('said', 'one');
    events.emit('said', 'two');
    expect(told).toEqual(['one', 'ONE', 'TWO']);
  });

  it('says nothing to anybody after removeAll', () => {
    const events = new Emitter<Events>();
    events.on('left', () => expect.fail('told'));
    events.removeAll();
    events.emit('left', null);
    events.emit('said', 'to nobody');
  });
});

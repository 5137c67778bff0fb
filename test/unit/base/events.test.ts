import { describe, expect, it } from 'vitest';
import { Events } from '../../../src/base/events.ts';

interface Map {
  digit: { digit: string };
  error: { detail: string };
}

function collector(): { events: Events<Map>; digits: string[]; take: (payload: { digit: string }) => void } {
  const digits: string[] = [];
  return { events: new Events<Map>(), digits, take: ({ digit }) => digits.push(digit) };
}

describe('typed events', () => {
  it('says whether anybody listened', () => {
    const events = new Events<{ digit: { digit: string } }>();
    expect(events.emit('digit', { digit: '1' })).toBe(false);
    events.on('digit', () => undefined);
    expect(events.emit('digit', { digit: '1' })).toBe(true);
  });

  it('reach every listener in the order they came', () => {
    const { events, digits, take } = collector();
    events.on('digit', take);
    events.on('digit', ({ digit }) => digits.push(`again ${digit}`));
    events.emit('digit', { digit: '1' });
    events.emit('digit', { digit: '2' });
    expect(digits).toEqual(['1', 'again 1', '2', 'again 2']);
  });

  it('stop when the listener is taken back', () => {
    const { events, digits, take } = collector();
    const stop = events.on('digit', take);
    events.emit('digit', { digit: '1' });
    stop();
    stop();
    events.emit('digit', { digit: '2' });
    expect(digits).toEqual(['1']);
  });

  it('come once to a listener that wants one, and never after it was taken back', () => {
    const { events, digits, take } = collector();
    events.once('digit', take);
    const stop = events.once('digit', take);
    stop();
    events.emit('digit', { digit: '1' });
    events.emit('digit', { digit: '2' });
    expect(digits).toEqual(['1']);
  });

  it('called error are no special case: nobody listening is no crash', () => {
    const { events } = collector();
    expect(() => events.emit('error', { detail: 'x' })).not.toThrow();
  });

  it('reach nobody after removeAll', () => {
    const { events, digits, take } = collector();
    events.on('digit', take);
    events.removeAll();
    events.emit('digit', { digit: '1' });
    expect(digits).toEqual([]);
  });
});

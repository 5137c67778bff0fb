import { describe, expect, it } from 'vitest';
import { Replies } from '../../../src/agent/replies.ts';

describe('Replies', () => {
  it('keeps text and times until a reply is finished', () => {
    const replies = new Replies();
    replies.text('a', 'Hello');
    replies.text('a', 'Hello there.');
    const times = { startedMs: 40, responseMs: 700, textMs: 200, audioMs: 300 };
    replies.started('a', times);
    expect(replies.finished('a')).toEqual({ text: 'Hello there.', ...times });
    const none = { startedMs: 0, responseMs: null, textMs: null, audioMs: null };
    expect(replies.finished('a')).toEqual({ text: '', ...none });
  });

  it('believes nothing more of a reply that was cut', () => {
    const replies = new Replies();
    replies.text('a', 'Hello');
    expect(replies.isCut('a')).toBe(false);
    expect(replies.cut('a').text).toBe('Hello');
    expect(replies.isCut('a')).toBe(true);
    replies.text('a', 'late words');
    expect(replies.finished('a').text).toBe('');
  });

  it('forgets the oldest cut replies', () => {
    const replies = new Replies();
    for (let index = 0; index <= 64; index += 1) replies.cut(`reply-${index}`);
    expect(replies.isCut('reply-0')).toBe(false);
    expect(replies.isCut('reply-1')).toBe(true);
    expect(replies.isCut('reply-64')).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { SpokenWords } from '../../../src/agent/spoken-words.ts';

const text = 'Thank you for calling Harbour Clinic. How can I help you today?';
const at = (heardMs: number, totalMs: number, whole = true, itemId = 'one') => ({
  ...{ itemId, heardMs, totalMs, whole },
});

describe('the words said so far', () => {
  it('are spread over the sound, end with whole words, and are all of them at the end', () => {
    const words = new SpokenWords();
    expect(words.advance(at(400, 4000), text)).toBe('Thank you');
    expect(words.advance(at(2000, 4000), text)).toBe('Thank you for calling Harbour Clinic.');
    expect(words.advance(at(4000, 4000), text)).toBe(text);
  });

  it('are told when there are more of them, and never fewer', () => {
    const words = new SpokenWords();
    expect(words.advance(at(1000, 2000), text)).not.toBeNull();
    expect(words.advance(at(1020, 2000), text)).toBeNull();
    // More sound has come: the share that was heard is smaller now.
    expect(words.advance(at(1040, 8000), text)).toBeNull();
  });

  it('do not run ahead while the length of the sound is not known', () => {
    const words = new SpokenWords();
    // The first sentence is here, the text of all of them, too.
    expect(words.advance(at(1000, 1200, false), text)).toBe('Thank you for calling');
    expect(words.advance(at(1200, 4000), text)).toBeNull();
  });

  it('begin again with each reply', () => {
    const words = new SpokenWords();
    expect(words.advance(at(4000, 4000), text)).toBe(text);
    expect(words.advance(at(20, 4000, true, 'two'), 'At ten?')).toBe('At');
  });

  it('are none of no text', () => {
    expect(new SpokenWords().advance(at(1000, 1000), '')).toBeNull();
  });
});

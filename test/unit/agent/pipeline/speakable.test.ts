import { describe, expect, it } from 'vitest';
import { speakable } from '../../../../src/agent/models/pipeline/speakable.ts';
import { ThinkingFilter } from '../../../../src/agent/models/pipeline/thinking.ts';

describe('what is said of what was written', () => {
  it.each([
    ['Hello there.', 'Hello there.'],
    ['**Yes**, that is *really* `fine`.', 'Yes, that is really fine.'],
    ['## Opening hours', 'Opening hours'],
    ['- Monday to Friday', 'Monday to Friday'],
    ['1. Bring your card.', 'Bring your card.'],
    ['> quoted', 'quoted'],
    ['See [our page](https://example.org/a?b=c) today.', 'See our page today.'],
    ['![a map](map.png)', 'a map'],
    ['Go to https://www.example.org/book/now?x=1.', 'Go to example dot org slash book slash now.'],
    ['Write to desk@harbour-clinic.example.', 'Write to desk at harbour-clinic dot example.'],
    ['Great! 😀👍🏽 See you 🇬🇧', 'Great! See you'],
    ['Press 1️⃣ now', 'Press now'],
    ['Line one<br>line two', 'Line one line two'],
    ['Smith & Sons', 'Smith and Sons'],
    ['2 * 3 is 6, 4*5 is 20', '2 * 3 is 6, 4*5 is 20'],
    ['snake_case stays, _emphasis_ goes', 'snake_case stays, emphasis goes'],
    ['| Monday | nine |', 'Monday, nine'],
    ['One moment…', 'One moment...'],
    ['a   b\n c', 'a b c'],
  ])('%j becomes %j', (written, spoken) => {
    expect(speakable(written)).toBe(spoken);
  });

  it.each(['', '   ', '***', '---', '😀', '```', '...', '|---|---|', '👨‍👩‍👧'])(
    '%j is nothing to say',
    (written) => {
      expect(speakable(written)).toBe('');
    },
  );

  it('stays as it is when it is said twice', () => {
    for (const text of ['Go to https://example.org/a.', '**Hi** & _bye_', '1. One | two'])
      expect(speakable(speakable(text))).toBe(speakable(text));
  });
});

describe('what a reasoning model thinks', () => {
  const filtered = (text: string, charsAtATime: number): string => {
    const filter = new ThinkingFilter();
    let heard = '';
    for (let at = 0; at < text.length; at += charsAtATime)
      heard += filter.push(text.slice(at, at + charsAtATime));
    return heard + filter.flush();
  };

  it.each([1, 2, 5, 100])('is not heard (%i characters at a time)', (chars) => {
    expect(
      filtered('<think>They want <b>it</b>.</think>Yes. <think>hm</think>Fine <3 </b> <thin', chars),
    ).toBe('Yes. Fine <3 </b> <thin');
  });

  it('is not heard when it never ends', () => {
    expect(filtered('Yes. <think>and on and on', 3)).toBe('Yes. ');
  });
});

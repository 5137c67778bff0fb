import { describe, expect, it } from 'vitest';
import { Sentence, SpokenReply } from '../../../../src/agent/models/pipeline/spoken-reply.ts';

/** Sentences with so many ms of sound each. */
function reply(...sentences: [text: string, ms: number][]): SpokenReply {
  const made = new SpokenReply();
  for (const [text, ms] of sentences) {
    const sentence = new Sentence(text);
    sentence.take(new Uint8Array(ms * 8));
    sentence.state = 'spoken';
    made.sentences.push(sentence);
  }
  return made;
}

const opening: [string, number] = ['We are open from eight to six.', 3000];
const closing: [string, number] = ['On Sundays we are closed.', 2500];

describe('what was heard of a reply', () => {
  it.each([
    [0, ''],
    [-5, ''],
    [100, ''],
    [600, 'We are…'],
    [1500, 'We are open…'],
    [2900, 'We are open from eight to six.'],
    [3000, 'We are open from eight to six.'],
    [3100, 'We are open from eight to six.'],
    [4100, 'We are open from eight to six. On Sundays…'],
    [5500, 'We are open from eight to six. On Sundays we are closed.'],
    [99_000, 'We are open from eight to six. On Sundays we are closed.'],
  ])('after %i ms is %j', (heardMs, text) => {
    expect(reply(opening, closing).heardText(heardMs)).toBe(text);
  });

  it('never grows shorter with time, and never holds half a word', () => {
    const said = reply(opening, closing);
    const words = new Set(said.text.split(' '));
    let length = 0;
    for (let ms = 0; ms <= 5600; ms += 10) {
      const heard = said.heardText(ms);
      expect(heard.length).toBeGreaterThanOrEqual(length - 1);
      length = heard.length;
      for (const word of heard.split(' ').filter(Boolean))
        expect(words.has(word.replace('…', ''))).toBe(true);
    }
  });

  it('is guessed by the length of the text while a sentence is still being synthesised', () => {
    const said = reply(opening);
    const [sentence] = said.sentences;
    if (sentence !== undefined) sentence.state = 'speaking';
    expect(sentence?.wholeMs).toBe(3000);
    const early = new Sentence('A sentence of thirty characters');
    early.state = 'speaking';
    early.take(new Uint8Array(80));
    expect(early.ms).toBe(10);
    expect(early.wholeMs).toBe(31 * 60);
  });

  it('of no sentences, or one long word, is nothing', () => {
    expect(reply().heardText(1000)).toBe('');
    expect(reply(['Incomprehensibilities', 2000]).heardText(1000)).toBe('');
  });
});

describe('a reply', () => {
  it('tells the text of those sentences only whose sound was passed on', () => {
    const said = reply(opening, closing);
    expect(said.soundingText).toBe('');
    const [first] = said.sentences;
    if (first !== undefined) first.sounding = true;
    expect(said.soundingText).toBe(opening[0]);
    expect(said.text).toBe(`${opening[0]} ${closing[0]}`);
  });
});

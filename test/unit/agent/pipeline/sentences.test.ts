import { describe, expect, it } from 'vitest';
import { SentenceSplitter } from '../../../../src/agent/models/pipeline/sentences.ts';

/** Written so many characters at a time. */
function split(text: string, charsAtATime = text.length): string[] {
  const splitter = new SentenceSplitter();
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += charsAtATime)
    pieces.push(...splitter.push(text.slice(at, at + charsAtATime)));
  return [...pieces, ...splitter.flush()];
}

const long = 'This is a sentence that is certainly long enough to be spoken alone.';

describe('a written answer', () => {
  it('is cut into sentences', () => {
    expect(split(`${long} ${long} Really? ${long}`)).toEqual([long, long, `Really? ${long}`]);
  });

  it('is cut alike however it arrives', () => {
    const offer = 'I can book you in with Dr. Smith at 8.30 a.m. on Monday, or later!';
    const text = `Yes. ${long} ${offer} Fine?\n- One\n- Two, more`;
    const whole = split(text, 1);
    for (const chars of [2, 3, 7, 20]) expect(split(text, chars)).toEqual(whole);
    expect(whole.join(' ').replace(/\s+/g, ' ')).toBe(text.replace(/\s+/g, ' '));
  });

  it('gives its first sentence at once, however short', () => {
    const splitter = new SentenceSplitter();
    expect(splitter.push('Of course. W')).toEqual(['Of course.']);
    expect(splitter.push('hy? B')).toEqual([]);
    expect(splitter.push('ecause that is how it is done in this place. N')).toEqual([
      'Why? Because that is how it is done in this place.',
    ]);
    expect(splitter.flush()).toEqual(['N']);
  });

  it.each([
    'We are open from 8.30 a.m. on Mondays.',
    'Please ask for Dr. Smith or Mrs. Jones at the desk.',
    'It costs 12.50 in total, e.g. Tuesday morning.',
    'That is J. R. Smith on the line now.',
    'Wait... there is one more thing to say.',
  ])('keeps %j whole', (text) => {
    expect(split(text, 1)).toEqual([text]);
  });

  it('ends a sentence after its quotes and brackets', () => {
    expect(split('He said "come in." Then he left the room and closed the door.')).toEqual([
      'He said "come in."',
      'Then he left the room and closed the door.',
    ]);
    expect(split('(Not today.) We are closed on every Sunday of the year.')[0]).toBe('(Not today.)');
  });

  it('knows the numbers of a list from the end of a sentence', () => {
    expect(split('1. Come in early on the day. 2. Bring your card.')[0]).toBe('1. Come in early on the day.');
  });

  it('takes a new line as an end', () => {
    expect(split('Our doctors\n\nDr. Smith, for children and adults alike\nDr. Jones')).toEqual([
      'Our doctors',
      'Dr. Smith, for children and adults alike\nDr. Jones'.split('\n')[0],
      'Dr. Jones',
    ]);
  });

  it('says the first clause of a long sentence while the rest is being written', () => {
    const splitter = new SentenceSplitter();
    const text =
      'We have an opening tomorrow morning at ten, another one on Friday at noon, and a third one next week';
    const first = text.split(/(?=.)/s).flatMap((char) => splitter.push(char));
    expect(first[0]).toBe('We have an opening tomorrow morning at ten,');
    expect([...first, ...splitter.flush()].join(' ')).toBe(text);
  });

  it('cuts what never ends between two words', () => {
    const endless = 'word '.repeat(400).trim();
    const pieces = split(endless, 9);
    expect(pieces.every((piece) => piece.length <= 310)).toBe(true);
    expect(pieces.join(' ')).toBe(endless);
    expect(split('x'.repeat(1000), 50).join('')).toBe('x'.repeat(1000));
  });

  it('may be empty, or nothing but space', () => {
    expect(split('', 1)).toEqual([]);
    expect(split(' \n \n', 1)).toEqual([]);
  });

  it('begins anew after a flush', () => {
    const splitter = new SentenceSplitter();
    splitter.push(`${long} ${long} `);
    splitter.flush();
    expect(splitter.push('Yes. N')).toEqual(['Yes.']);
  });
});

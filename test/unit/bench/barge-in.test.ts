import { describe, expect, it } from 'vitest';
import { errorsOf, report, type Trial } from '../../../bench/barge-in.ts';
import type { CallerSound } from '../../../bench/caller-sounds.ts';

const soundOf = (kind: CallerSound['kind'], name: string = kind): CallerSound => ({
  kind,
  name,
  bytes: new Uint8Array(160),
  words: null,
});
const speech: Trial = {
  sound: soundOf('speech'),
  softerMs: 60,
  silentMs: 120,
  cut: true,
  answered: true,
  kept: true,
  pausedMs: 900,
  toldMs: 700,
  cameMs: 720,
  missing: 0,
};
const cough: Trial = {
  ...speech,
  ...{ sound: soundOf('cough'), cut: false, answered: false, kept: false, pausedMs: 80, toldMs: null },
};

/** The cells of the row that begins so. */
function row(markdown: string, first: string): string[] | undefined {
  const lines = markdown.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  return lines.find((cells) => cells[1] === first)?.slice(2, -1);
}

describe('what the model is told', () => {
  it('is compared with what came, of replies that were cut', () => {
    expect(errorsOf([speech, { ...speech, toldMs: 760 }, cough])).toEqual([-20, 40]);
  });

  it('is not compared where packets were lost on the way', () => {
    expect(errorsOf([{ ...speech, missing: 1 }])).toEqual([]);
  });
});

describe('the section', () => {
  const of = (trials: readonly Trial[]): string => report(trials, { calls: 2, load: '0.10', lateMs: 1.3 });

  it('spreads what speech did, and says of how many it is known', () => {
    const markdown = of([speech, { ...speech, softerMs: 80, silentMs: null, missing: 2 }]);
    expect(row(markdown, 'to a softer voice')).toEqual(['2 of 2', '60', '80', '80']);
    expect(row(markdown, 'to silence on the line')).toEqual(['1 of 2', '120', '120', '120']);
    expect(row(markdown, 'told minus come')).toEqual(['1 of 2', '-20', '-20', '-20']);
    expect(row(markdown, 'size of the error')).toEqual(['1 of 2', '20', '20', '20']);
    expect(markdown).toContain('Replies that speech cut for good: 2 of 2; answered by the model:\n2 of 2.');
    expect(markdown).toContain('Load average during the run: 0.10.');
    expect(markdown).toContain('was late by 1.3 ms (p99)');
  });

  it('counts what cut a reply short and should not have, by kind and by name', () => {
    const music = { ...speech, sound: soundOf('music', 'an organ') };
    const markdown = of([speech, cough, { ...cough, pausedMs: 140 }, music, music]);
    expect(row(markdown, 'cough')).toEqual(['0 of 2', '0 of 2', '0 of 2', '140']);
    expect(row(markdown, 'music')).toEqual(['2 of 2', '2 of 2', '2 of 2', '–']);
    expect(row(markdown, 'speech')).toBeUndefined();
    expect(markdown).toContain('Those that did: an organ.');
    expect(of([speech, cough])).toContain('None of them did.');
  });

  it('shows a dash where nothing was measured', () => {
    const markdown = of([{ ...speech, softerMs: null, silentMs: null, toldMs: null }]);
    expect(row(markdown, 'to a softer voice')).toEqual(['0 of 1', '–', '–', '–']);
    expect(row(markdown, 'told minus come')).toEqual(['0 of 0', '–', '–', '–']);
  });
});

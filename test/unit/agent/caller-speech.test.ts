import { describe, expect, it } from 'vitest';
import { CallerSpeech } from '../../../src/agent/caller-speech.ts';

/** Plays "v" (voiced) and "-" (not) frames; the changes, with the frame they came at. */
function changes(pattern: string, confirmMs = 80, endOfSpeechMs = 100): string[] {
  const speech = new CallerSpeech({ endOfSpeechMs });
  return Array.from(pattern).flatMap((letter, index) => {
    const change = speech.frame(letter === 'v', confirmMs);
    return change === null ? [] : [`${change}@${index + 1}`];
  });
}

describe('CallerSpeech', () => {
  it.each([
    ['silence', '----------', []],
    ['a click', '--v-------', []],
    ['a cough', 'vv--------', ['onset@2', 'cleared@4']],
    ['two clicks apart', 'v-v-v-v-v-', []],
    ['speech', 'vvvv', ['onset@2', 'started@4']],
    ['speech with a hole', 'vv-vvv', ['onset@2', 'started@6']],
    ['a whole utterance', 'vvvvvv-----', ['onset@2', 'started@4', 'stopped@11']],
    ['a pause inside', 'vvvv----v-----', ['onset@2', 'started@4', 'stopped@14']],
    ['two utterances', 'vvvv-----vvvv', ['onset@2', 'started@4', 'stopped@9', 'onset@11', 'started@13']],
  ])('%s', (_, pattern, expected) => {
    expect(changes(pattern)).toEqual(expected);
  });

  it('asks for more sound before it confirms an interruption', () => {
    expect(changes('vvvvvvvvvvvv', 240)).toEqual(['onset@2', 'likely@4', 'started@12']);
  });

  it('confirms at once when the agent falls silent over speech that had begun', () => {
    const speech = new CallerSpeech({ endOfSpeechMs: 600 });
    for (let index = 0; index < 6; index += 1) expect(speech.frame(true, 240)).not.toBe('started');
    expect(speech.frame(true, 80)).toBe('started');
  });

  it('ends a turn that never ends after 30 s, and begins another', () => {
    const told = changes('v'.repeat((2 * 30_000) / 20 + 20));
    expect(told).toEqual([
      ...['onset@2', 'started@4', 'stopped@1504'],
      ...['onset@1506', 'started@1508', 'stopped@3008'],
      ...['onset@3010', 'started@3012'],
    ]);
  });

  it('gives each turn its 30 s', () => {
    const turn = `${'v'.repeat(1000)}${'-'.repeat(10)}`;
    expect(changes(turn + turn).filter((change) => change.startsWith('stopped'))).toEqual([
      'stopped@1005',
      'stopped@2015',
    ]);
  });

  it('knows how long it has been silent', () => {
    const speech = new CallerSpeech({ endOfSpeechMs: 100 });
    for (let index = 0; index < 3; index += 1) speech.frame(false, 80);
    expect(speech.silentMs).toBe(60);
    speech.frame(true, 80);
    expect(speech.silentMs).toBe(0);
    expect(speech.speaking).toBe(false);
  });
});

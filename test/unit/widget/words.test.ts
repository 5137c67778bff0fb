import { describe, expect, it } from 'vitest';
import { ENDINGS } from '../../../src/base/ending.ts';
import { LOCAL_ENDING, endingOf } from '../../../widget/client/call-ending.ts';
import { CALL_STATE } from '../../../widget/client/call-state.ts';
import { levelOf } from '../../../widget/client/level-meter.ts';
import {
  constraints,
  MICROPHONE_PROBLEM,
  MicrophoneError,
  microphoneError,
} from '../../../widget/client/microphone.ts';
import { GatewayRefusal, GatewayUnreachable } from '../../../widget/client/signalling.ts';
import {
  durationWords,
  explanationOf,
  goodbyeOf,
  STATE_WORDS,
  toolWords,
} from '../../../widget/element/words.ts';

describe('the words of the widget', () => {
  it('name every state', () => {
    for (const state of Object.values(CALL_STATE)) expect(STATE_WORDS[state]).not.toBe('');
  });

  it.each([...Object.values(MICROPHONE_PROBLEM), LOCAL_ENDING.unreachable, LOCAL_ENDING.lost])(
    'explain %s and say what to do',
    (slug) => {
      const explanation = explanationOf(slug);
      expect(explanation?.heading).toMatch(/\w/);
      expect(explanation?.text).toMatch(/\.$/);
    },
  );

  it('pass on why the gateway refused', () => {
    expect(explanationOf(LOCAL_ENDING.refused, 'The key is not for this site.')).toEqual({
      heading: 'The call was not taken',
      text: 'The key is not for this site.',
    });
  });

  it('thank at the end of a good call, and explain nothing', () => {
    for (const slug of ['agent-hung-up', LOCAL_ENDING.hungUp]) {
      expect(explanationOf(slug)).toBeUndefined();
      expect(goodbyeOf(slug)).toContain('Thank you');
    }
  });

  it('explain every ending that is our own fault or that of what we depend on', () => {
    const ours = ['no-capacity', 'shutting-down', 'model-unavailable', 'media-failure', 'internal-error'];
    expect(Object.keys(ENDINGS)).toEqual(expect.arrayContaining(ours));
    for (const slug of ours) expect(explanationOf(slug)).toBeDefined();
  });

  it("repeat the gateway's own sentence for an ending they do not know", () => {
    expect(goodbyeOf('moved-to-another-desk', 'You were moved.')).toBe('You were moved.');
  });

  it('count like a clock', () => {
    expect([-5, 0, 999, 59_999, 60_000, 3_725_000].map(durationWords)).toEqual([
      '0:00',
      '0:00',
      '0:00',
      '0:59',
      '1:00',
      '62:05',
    ]);
  });

  it('write tools as people would', () => {
    expect(toolWords('book_appointment')).toBe('book appointment');
    expect(toolWords('find-slots__now')).toBe('find slots now');
  });
});

describe('endingOf', () => {
  it.each([
    [new MicrophoneError('microphone-busy'), { slug: 'microphone-busy', text: '' }],
    [new GatewayRefusal('WEB_KEY_INVALID', 'No such key.'), { slug: 'refused', text: 'No such key.' }],
    [new GatewayUnreachable('no answer'), { slug: 'gateway-unreachable', text: '' }],
    ['something thrown', { slug: 'gateway-unreachable', text: '' }],
  ])('of %s', (error, ending) => {
    expect(endingOf(error)).toEqual(ending);
  });
});

describe('microphoneError', () => {
  it.each([
    ['NotAllowedError', 'microphone-denied'],
    ['SecurityError', 'microphone-denied'],
    ['NotFoundError', 'microphone-missing'],
    ['OverconstrainedError', 'microphone-missing'],
    ['NotReadableError', 'microphone-busy'],
    ['AbortError', 'microphone-busy'],
    ['SomethingNewError', 'microphone-busy'],
  ])("takes the browser's %s for %s", (name, problem) => {
    const thrown = new DOMException('no', name);
    expect(microphoneError(thrown)).toMatchObject({ problem, cause: thrown });
  });
});

describe('constraints', () => {
  it('ask for clean mono', () => {
    expect(constraints()).toEqual({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
  });

  it('prefer a device, without failing for want of it', () => {
    expect(constraints('headset-7').audio).toMatchObject({ deviceId: { exact: 'headset-7' } });
  });
});

describe('levelOf', () => {
  const tone = (amplitude: number): Float32Array =>
    Float32Array.from({ length: 480 }, (_, index) => amplitude * Math.sin(index / 3));

  it('is 0 for silence and for nothing at all', () => {
    expect(levelOf(new Float32Array(480))).toBe(0);
    expect(levelOf(new Float32Array(0))).toBe(0);
  });

  it('is 1 for the loudest', () => {
    expect(levelOf(tone(1))).toBe(1);
  });

  it('grows by equal steps of decibels', () => {
    const [soft, middle, loud] = [levelOf(tone(0.01)), levelOf(tone(0.03162)), levelOf(tone(0.1))];
    expect(middle - soft).toBeCloseTo(0.2, 2);
    expect(loud - middle).toBeCloseTo(0.2, 2);
  });
});

import { describe, expect, it } from 'vitest';
import type { CpuProfile } from '../../../bench/cpu-profile.ts';
import { areaOf, profileInWords } from '../../../bench/cpu-words.ts';

/** One sample of so many ms in each file or native function. */
function profileOf(costs: Readonly<Record<string, number>>): CpuProfile {
  const names = Object.keys(costs);
  return {
    nodes: names.map((name, id) => ({
      id,
      callFrame: /^(?:\w+$|\()/.test(name)
        ? { functionName: name, url: '', lineNumber: 0 }
        : { functionName: 'f', url: name, lineNumber: 0 },
    })),
    samples: names.map((_, id) => id),
    timeDeltas: Object.values(costs).map((ms) => ms * 1000),
  };
}

describe('a file', () => {
  it.each([
    ['(garbage collector)', /garbage/],
    ['(program)', /no function/],
    ['postMessage', /between threads/],
    ['ws/lib/sender.js', /WebSockets/],
    ['zod/v4/core/schemas.js', /model's events/],
    ['src/agent/models/voice-socket/event-parser.ts', /model's events/],
    ['src/agent/voice.ts', /agent/],
    ['src/media/anchor.ts', /sound path/],
    ['wasm://wasm/00ad0bc6', /finding speech/],
    ['sip/server/parse.ts', /SIP/],
    ['src/phone/door.ts', /SIP/],
    ['bullmq/dist/esm/classes/queue.js', /queues/],
    ['node:internal/modules/cjs/loader', /starting/],
    ['node:dgram', /sockets/],
    ['writeBuffer', /sockets/],
    ['writeUtf8String', /sockets/],
    ['node:events', /plumbing/],
    ['pino/lib/proto.js', /all else/],
  ])('%s belongs to what people would call it', (file, area) => {
    expect(areaOf(file)).toMatch(area);
  });
});

describe('a profile in words', () => {
  it('names the greatest share first, and leaves crumbs and waiting out', () => {
    const profile = profileOf({
      'node:dgram': 20,
      writeBuffer: 20,
      'file:///x/src/media/anchor.ts': 25,
      'file:///x/src/media/mixer.ts': 10,
      '(garbage collector)': 24.8,
      'node:events': 0.2,
      '(idle)': 900,
    });
    expect(profileInWords([profile])).toBe(
      'In words: 40 % sockets: UDP to callers, TCP to the model; ' +
        '35 % the sound path: RTP, jitter buffers, mixing, codecs, pacing; 25 % the garbage collector.',
    );
  });

  it('is summed over threads', () => {
    const [one, other] = [profileOf({ 'node:dgram': 30 }), profileOf({ 'file:///x/src/agent/voice.ts': 10 })];
    expect(profileInWords([one, other])).toMatch(/^In words: 75 % sockets.*; 25 % the agent/);
  });

  it('of nothing says so', () => {
    expect(profileInWords([])).toBe('Nothing was profiled.');
  });
});

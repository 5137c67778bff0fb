/** Recorded event streams through the adapters: whole, and damaged in a hundred thousand ways. */
import { describe, expect, it } from 'vitest';
import { recordedStream } from '../../../support/realtime-server/fixtures.ts';
import { FakeSocket } from '../../../support/realtime-server/fake-socket.ts';
import { fuzzModel, type Protocol } from '../../../support/realtime-server/model-fuzz.ts';

const protocols: readonly Protocol[] = ['realtime', 'live'];
/** Per protocol. `npm run fuzz:models` runs a million. */
const events = 50_000;

describe.each(protocols)('damaged conversations over %s', (protocol) => {
  it('are survived: no throw, no timer left behind', { timeout: 120_000 }, async () => {
    const recorded = recordedStream(protocol);
    const counts = await fuzzModel({ protocol, recorded, events, seed: 20_261_126 });
    expect(counts.events).toBe(events);
    // They were conversations, and not only rubbish.
    for (const name of [
      'audio',
      'said',
      'heard',
      'replyDone',
      'toolCall',
      'usage',
      'failed',
      'closed',
    ] as const)
      expect(counts.told[name], name).toBeGreaterThan(30);
    expect(counts.failed).toBeLessThan(counts.sessions);
  });
});

describe('the fake socket', () => {
  it('says what it is told to, until it is closed, and closes once', () => {
    const socket = new FakeSocket();
    const heard: string[] = [];
    let closes = 0;
    socket.on('message', (data: Buffer) => heard.push(data.toString()));
    socket.on('close', () => (closes += 1));
    socket.say('a');
    socket.send('b');
    socket.send(Buffer.from('c'));
    socket.close();
    socket.terminate();
    socket.say('d');
    expect(heard).toEqual(['a']);
    expect(socket.sent).toEqual(['b', 'c']);
    expect(closes).toBe(1);
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GatewayRefusal, GatewayUnreachable, Signalling } from '../../../widget/client/signalling.ts';
import type { SignallingEvents } from '../../../widget/client/signalling.ts';
import { until } from '../../support/until.ts';
import { GatewayStand } from '../../support/widget/gateway-stand.ts';

let stand: GatewayStand;
let signalling: Signalling;

/** The next event of that name. */
function next<K extends keyof SignallingEvents>(name: K): Promise<SignallingEvents[K]> {
  const { promise, resolve } = Promise.withResolvers<SignallingEvents[K]>();
  const stop = signalling.events.on(name, (payload) => {
    stop();
    resolve(payload);
  });
  return promise;
}

beforeEach(async () => {
  stand = await GatewayStand.start();
  signalling = new Signalling(stand.url);
  await next('open');
});

afterEach(async () => {
  signalling.close();
  await stand.close();
});

describe('a question', () => {
  it('is answered with what the wire promises, and nothing more', async () => {
    stand.joined = { extra: 'unknown' } as never;
    const joined = await signalling.ask('join', { widgetKey: 'demo', profile: 'clinic' });
    expect(joined).toMatchObject({ participantId: 'visitor-1', codec: 'opus', resumed: false });
    expect(joined).not.toHaveProperty('extra');
    expect(joined).not.toHaveProperty('ok');
    expect(stand.asked).toEqual([{ name: 'join', ask: { widgetKey: 'demo', profile: 'clinic' } }]);
  });

  it('is refused with code and sentence', async () => {
    stand.refusals.set('join', 'WEB_KEY_INVALID');
    const refused = signalling.ask('join', { token: 'stale' });
    await expect(refused).rejects.toThrow(GatewayRefusal);
    await expect(refused).rejects.toMatchObject({
      code: 'WEB_KEY_INVALID',
      message: 'Refused: WEB_KEY_INVALID.',
    });
  });

  it('fails when the answer is not what the wire promises', async () => {
    stand.joined = { codec: 'g729' as never };
    await expect(signalling.ask('join', { token: 't' })).rejects.toThrow(
      'the answer to join is not understood',
    );
  });

  it('fails when the connection breaks before the answer', async () => {
    stand.unanswered.add('leave');
    const asked = signalling.ask('leave', {});
    await until('the question has come', () => stand.asked.length === 1);
    stand.dismiss();
    await expect(asked).rejects.toThrow(GatewayUnreachable);
  });

  it('is not kept for later while there is no connection', async () => {
    const lost = next('lost');
    stand.dismiss();
    await lost;
    await expect(signalling.ask('leave', {})).rejects.toThrow('leave was not asked: no connection');
    expect(stand.asked).toEqual([]);
  });
});

describe('the connection', () => {
  it('comes back by itself when the network broke it', async () => {
    const [lost, open] = [next('lost'), next('open')];
    stand.breakConnections();
    expect(await lost).toEqual({ final: false });
    await open;
    expect(stand.sockets).toBe(1);
  });

  it('stays away when the gateway ended it', async () => {
    const lost = next('lost');
    stand.dismiss();
    expect(await lost).toEqual({ final: true });
  });

  it('tells each attempt that fails', async () => {
    const unreachable = next('unreachable');
    await stand.close();
    await unreachable;
  });

  it('is closed by leave once the gateway has heard it', async () => {
    signalling.leave();
    await until('the socket is closed', () => stand.sockets === 0);
    expect(stand.names()).toEqual(['leave']);
  });

  it('may be closed and left any number of times', () => {
    signalling.close();
    signalling.leave();
    signalling.close();
  });
});

describe('an event', () => {
  it('comes with its payload', async () => {
    const caption = next('caption');
    stand.tell('caption', { who: 'agent', text: 'Hello.', final: true, utteranceId: 'u1' });
    expect(await caption).toEqual({ who: 'agent', text: 'Hello.', final: true, utteranceId: 'u1' });
  });

  it('that is not understood is passed over, and the next one is not', async () => {
    const told: unknown[] = [];
    signalling.events.on('caption', (caption) => told.push(caption));
    const speaking = next('speaking');
    for (const payload of [null, 'text', { who: 'stranger', text: 'x', final: true, utteranceId: 'u' }, {}])
      stand.tellAnything('caption', payload);
    stand.tellAnything('weather', { sunny: true });
    stand.tell('speaking', { participantId: 'p1', speaking: true });
    expect(await speaking).toEqual({ participantId: 'p1', speaking: true });
    expect(told).toEqual([]);
  });
});

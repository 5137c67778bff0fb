import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { iceServersFor } from '../../../src/web/ice-servers.ts';
import { IceWatch, type IceState } from '../../../src/web/ice-watch.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const none = { stun_urls: [], turn_urls: [], turn_secret: '', turn_ttl_s: 3600, relay_only: false };

describe('ICE servers', () => {
  it('are none when none are configured: the gateway is a public address itself', () => {
    expect(iceServersFor('guest_1', none, 0)).toEqual({ iceServers: [], iceTransportPolicy: 'all' });
  });

  it('give TURN credentials that coturn can check, and that expire', () => {
    const turn_urls = ['turn:turn.test:3478?transport=udp', 'turns:turn.test:443?transport=tcp'];
    const settings = { ...none, turn_urls, turn_secret: 'shared', turn_ttl_s: 600 };
    const { iceServers } = iceServersFor('guest_1', settings, 1_700_000_000_500);
    const username = '1700000600:guest_1';
    const credential = createHmac('sha1', 'shared').update(username).digest('base64');
    expect(iceServers).toEqual([{ urls: turn_urls, username, credential }]);
  });

  it('are different for each participant', () => {
    const settings = { ...none, turn_urls: ['turn:turn.test'], turn_secret: 'shared' };
    const [one, other] = ['guest_1', 'guest_2'].map((id) => iceServersFor(id, settings, 0).iceServers[0]);
    expect(one?.credential).not.toBe(other?.credential);
  });

  it('name STUN servers without credentials, and can demand a relay', () => {
    const settings = { ...none, stun_urls: ['stun:stun.test'], relay_only: true };
    expect(iceServersFor('guest_1', settings, 0)).toEqual({
      iceServers: [{ urls: ['stun:stun.test'] }],
      iceTransportPolicy: 'relay',
    });
  });
});

function watched(settings = { alert_after_ms: 5000, give_up_after_ms: 45_000 }): {
  clock: ManualClock;
  watch: IceWatch;
  told: string[];
} {
  const clock = new ManualClock();
  const watch = new IceWatch(settings, clock);
  const told: string[] = [];
  for (const name of ['alert', 'recovered', 'gaveUp'] as const)
    watch.events.on(name, ({ transportId }) => told.push(`${clock.nowMs()} ${name} ${transportId}`));
  return { clock, watch, told };
}

describe('a transport without its peer', () => {
  it('is told of after 5 s, and given up after 45 s', () => {
    const { clock, watch, told } = watched();
    watch.state('a', 'connected');
    clock.advance(1000);
    watch.state('a', 'disconnected');
    clock.advance(60_000);
    expect(told).toEqual(['6000 alert a', '46000 gaveUp a']);
  });

  it('is not told of when it comes back in time', () => {
    const { clock, watch, told } = watched();
    watch.state('a', 'disconnected');
    clock.advance(4999);
    watch.state('a', 'connected');
    clock.advance(100_000);
    expect(told).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('is told of again when it is back', () => {
    const { clock, watch, told } = watched();
    watch.state('a', 'disconnected');
    clock.advance(8000);
    watch.state('a', 'completed');
    clock.advance(100_000);
    expect(told).toEqual(['5000 alert a', '8000 recovered a']);
  });

  it('is told of at once when the browser says so, once for each absence', () => {
    const { clock, watch, told } = watched();
    watch.state('a', 'connected');
    watch.reported('a');
    expect(told).toEqual(['0 alert a']);
    watch.state('a', 'disconnected');
    watch.reported('a');
    watch.reported('a');
    clock.advance(10_000);
    watch.state('a', 'connected');
    expect(told).toEqual(['0 alert a', '0 alert a', '10000 recovered a']);
  });

  it('counts as one absence, however often it is said', () => {
    const { clock, watch, told } = watched();
    watch.state('a', 'disconnected');
    clock.advance(4000);
    watch.state('a', 'disconnected');
    clock.advance(1000);
    expect(told).toEqual(['5000 alert a']);
  });

  it('is told of when it never finds its peer', () => {
    const { clock, watch, told } = watched();
    watch.state('a', 'new');
    clock.advance(5000);
    expect(told).toEqual(['5000 alert a']);
  });

  it('may be away for ever when nothing is to be given up', () => {
    const { clock, watch, told } = watched({ alert_after_ms: 100, give_up_after_ms: 0 });
    watch.state('a', 'disconnected');
    clock.advance(10_000_000);
    expect(told).toEqual(['100 alert a']);
  });

  it('is watched apart from others', () => {
    const { clock, watch, told } = watched();
    watch.state('a', 'disconnected');
    clock.advance(3000);
    watch.state('b', 'disconnected');
    watch.state('a', 'connected');
    clock.advance(5000);
    expect(told).toEqual(['8000 alert b']);
  });

  it.each<IceState>(['connected', 'completed', 'closed'])('leaves no timer when it is %s', (state) => {
    const { clock, watch } = watched();
    watch.state('a', 'disconnected');
    watch.state('a', state);
    expect(clock.pending).toBe(0);
  });

  it('leaves no timer, and is told of no more, once nobody watches', () => {
    const { clock, watch, told } = watched();
    watch.state('a', 'disconnected');
    watch.state('b', 'disconnected');
    watch.close();
    expect(clock.pending).toBe(0);
    clock.advance(100_000);
    expect(told).toEqual([]);
  });
});

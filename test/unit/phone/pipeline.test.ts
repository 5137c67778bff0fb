import { describe, expect, it } from 'vitest';
import { TrunklineError } from '../../../src/base/errors.ts';
import { DigestGuard } from '../../../src/phone/digest.ts';
import {
  isRefusal,
  refuseOffer,
  screenInvite,
  spareOtherTenants,
  type Refusal,
  type Screen,
} from '../../../src/phone/pipeline.ts';
import { Routes } from '../../../src/phone/routing.ts';
import { TokenBucket } from '../../../src/base/token-bucket.ts';
import { Trunks } from '../../../src/phone/trunks.ts';
import { FREE_PLACE, type Entry, type LimitReached, type Place } from '../../../src/room/tenant-gate.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { requestOf, type RequestParts } from '../../support/phone-door/request.ts';
import { CLINIC, LOCAL_TRUNK } from '../../support/phone-door/stage.ts';
import { writeOffer } from '../../support/phone/sdp.ts';

const clock = new ManualClock();
const body = writeOffer({ port: 4000, codecs: ['pcma', 'pcmu'] });

function screen(change: Partial<Screen> = {}): Screen {
  return {
    trunks: new Trunks([LOCAL_TRUNK]),
    guard: new DigestGuard(clock),
    routes: new Routes([CLINIC]),
    pace: new TokenBucket(10, clock),
    callsMax: 5,
    mediaAddress: '127.0.0.1',
    openCalls: () => 0,
    isDraining: () => false,
    isKnown: () => false,
    ...change,
  };
}

function outcomeOf(parts: RequestParts, change: Partial<Screen> = {}): Refusal | string {
  const outcome = screenInvite(requestOf({ body, ...parts }).request, screen(change));
  return isRefusal(outcome) ? outcome : 'passed';
}

describe('the steps', () => {
  it('find trunk, number and codec of a good INVITE', () => {
    const outcome = screenInvite(requestOf({ body }).request, screen());
    expect(outcome).toEqual({ trunk: LOCAL_TRUNK, number: CLINIC, codec: 'pcmu' });
  });

  it("begin a late offer with the trunk's favourite codec", () => {
    const trunks = new Trunks([{ ...LOCAL_TRUNK, codecs: ['pcma', 'pcmu'] }]);
    expect(screenInvite(requestOf({}).request, screen({ trunks }))).toMatchObject({ codec: 'pcma' });
  });

  it('take the description out of a multipart body', () => {
    const parts: RequestParts = {
      body: 'whole',
      headers: { 'Content-Type': 'multipart/mixed;boundary=x' },
      payload: [
        { type: 'application/isup', content: '?' },
        { type: 'application/sdp', content: body },
      ],
    };
    expect(outcomeOf(parts)).toBe('passed');
  });

  const full: Partial<Screen> = { openCalls: () => 5 };
  const trunkFull: Partial<Screen> = {
    trunks: new Trunks([{ ...LOCAL_TRUNK, calls_max: 2 }]),
    openCalls: (name) => (name === 'local' ? 2 : 2),
  };
  const table: [string, RequestParts, Partial<Screen>, string, string, number][] = [
    ['no Contact', { headers: { Contact: '' } }, {}, 'understand', 'bad-request', 400],
    ['a Contact without a URI', { headers: { Contact: '*' } }, {}, 'understand', 'bad-request', 400],
    ['no From tag', { headers: { From: '<sip:a@b>' } }, {}, 'understand', 'bad-request', 400],
    ['a stranger', { sourceAddress: '203.0.113.1' }, {}, 'identify trunk', 'unknown-trunk', 403],
    ['a stop', {}, { isDraining: () => true }, 'accept calls', 'shutting-down', 503],
    ['no hops', { headers: { 'Max-Forwards': '0' } }, {}, 'count hops', 'too-many-hops', 483],
    ['odd hops', { headers: { 'Max-Forwards': '-1' } }, {}, 'count hops', 'bad-request', 400],
    ['a loop', {}, { isKnown: () => true }, 'detect loops', 'loop', 482],
    [
      'an extension',
      { headers: { Require: 'timer,foo , bar' } },
      {},
      'know extensions',
      'unsupported-extension',
      420,
    ],
    ['another number', { uri: 'sip:1@gw' }, {}, 'route', 'unknown-number', 404],
    ['another kind of body', { headers: { 'Content-Type': 'text/plain' } }, {}, 'negotiate', 'bad-sdp', 400],
    ['broken SDP', { body: 'v=9' }, {}, 'negotiate', 'bad-sdp', 400],
    ['no codec', { body: body.replace('8 0 101', '18') }, {}, 'negotiate', 'no-common-codec', 488],
    ['haste', {}, { pace: new TokenBucket(0, clock) }, 'keep the pace', 'no-capacity', 503],
    ['a full gateway', {}, full, 'have room', 'no-capacity', 503],
    ['a full trunk', {}, trunkFull, 'have room', 'no-capacity', 503],
  ];
  for (const [what, parts, change, step, slug, status] of table)
    it(`stop ${what} at "${step}" with ${status}`, () => {
      const outcome = outcomeOf(parts, change);
      expect(outcome).toMatchObject({ step, status, ending: { slug }, quiet: false });
      const headers = typeof outcome === 'string' ? {} : outcome.headers;
      expect(headers['Reason']).toMatch(/^Q\.850;cause=/);
      expect('Retry-After' in headers).toBe(status === 503);
    });

  it('name what they do not support', () => {
    const outcome = outcomeOf({ headers: { Require: '100rel, foo' } });
    expect(outcome).toMatchObject({ headers: { Unsupported: 'foo' } });
  });

  it('are quiet about scanners', () => {
    const scanner = { sourceAddress: '203.0.113.1', headers: { 'User-Agent': 'sipvicious 0.3' } };
    expect(outcomeOf(scanner)).toMatchObject({ status: 403, quiet: true });
    expect(outcomeOf({ headers: { 'User-Agent': 'sipvicious' } })).toBe('passed');
  });

  it('ask strangers for credentials when a trunk has some, by two headers', () => {
    const auth = { username: 'u', password: 'p' };
    const trunks = new Trunks([{ ...LOCAL_TRUNK, allow: [], auth }]);
    const outcome = outcomeOf({}, { trunks });
    if (typeof outcome === 'string') throw new Error('it passed');
    expect([outcome.status, outcome.ending]).toEqual([401, undefined]);
    expect(outcome.headers['WWW-Authenticate']).toMatch(/^Digest .*\r\nWWW-Authenticate: Digest [^\r\n]*$/);
  });

  it('count no call against the pace that is refused for another reason', () => {
    const pace = new TokenBucket(1, clock);
    outcomeOf({ uri: 'sip:1@gw' }, { pace });
    expect(outcomeOf({}, { pace })).toBe('passed');
    expect(outcomeOf({}, { pace })).toMatchObject({ step: 'keep the pace' });
  });
});

describe('refuseOffer', () => {
  it('calls an error that nobody foresaw ours', () => {
    expect(refuseOffer(new TypeError('x is undefined'))).toMatchObject({ status: 500 });
    expect(refuseOffer(new TrunklineError('SDP_NO_AUDIO', 'none'))).toMatchObject({
      status: 488,
      headers: { Warning: expect.stringContaining('305') as unknown },
    });
  });
});

describe('the limits of tenants', () => {
  const admitted = { trunk: LOCAL_TRUNK, number: CLINIC, codec: 'pcmu' } as const;
  const reached = {
    code: 'TENANT_CALLS_FULL',
    limit: 'calls_max',
    detail: 'calls_max (2) of tenant default is reached',
    retryAfterS: 7,
  } as const;
  const ask = (outcome: Place | LimitReached, isDraining = false): Promise<Place | Refusal> =>
    spareOtherTenants(admitted, { enter: () => Promise.resolve(outcome) }, { isDraining: () => isDraining });

  it("let a call pass that its tenant has a place for, as one of that tenant's calls", async () => {
    const asked: Entry[] = [];
    const gate = {
      enter: (entry: Entry) => {
        asked.push(entry);
        return Promise.resolve(FREE_PLACE);
      },
    };
    expect(await spareOtherTenants(admitted, gate, screen())).toBe(FREE_PLACE);
    expect(asked).toEqual([{ tenant: 'default', kind: 'call' }]);
  });

  it('refuse one too many with 503, the code, and when to try again', async () => {
    expect(await ask(reached)).toMatchObject({
      ...{ step: 'spare other tenants', status: 503, quiet: false },
      ending: { slug: 'no-capacity', detail: `TENANT_CALLS_FULL: ${reached.detail}` },
      headers: { 'Retry-After': '7' },
    });
  });

  it('say of minutes that are spent that the number cannot be reached until then', async () => {
    expect(await ask({ ...reached, code: 'TENANT_MINUTES_SPENT', retryAfterS: 3600 })).toMatchObject({
      status: 480,
      ending: { slug: 'minutes-spent' },
      headers: { 'Retry-After': '3600', Reason: expect.stringContaining('cause=21') as string },
    });
  });

  it('give the place back when the gateway began to stop meanwhile', async () => {
    let left = 0;
    const place = { ...FREE_PLACE, leave: () => (left += 1) };
    expect(await ask(place, true)).toMatchObject({ step: 'accept calls', ending: { slug: 'shutting-down' } });
    expect(left).toBe(1);
  });
});

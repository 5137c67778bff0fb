import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TenantLimits } from '../../../src/limits/tenant-limits.ts';
import type { TrunkConfig } from '../../../src/phone/settings.ts';
import { limitsOf } from '../../support/limits/settings.ts';
import type { SipCaller, SipText } from '../../support/phone-door/caller.ts';
import {
  CLINIC,
  LOCAL_TRUNK,
  NOTHING_OPEN,
  PhoneGround,
  PhoneStage,
} from '../../support/phone-door/stage.ts';
import { writeOffer } from '../../support/phone/sdp.ts';
import { quirks } from '../../support/sip-server/table.ts';
import { until } from '../../support/until.ts';

let ground: PhoneGround;
let stage: PhoneStage;

beforeAll(async () => {
  ground = await PhoneGround.open(31_800);
});
afterEach(async () => {
  await stage.close();
  expect(await stage.leftovers()).toEqual(NOTHING_OPEN);
});
afterAll(async () => {
  await ground.close();
});

const offer = writeOffer({ port: 40_000, codecs: ['pcmu'] });
const elsewhere: TrunkConfig = { ...LOCAL_TRUNK, name: 'elsewhere', allow: ['192.0.2.0/24'] };
const refusedLine = (): Record<string, unknown> | undefined =>
  stage.log.find((entry) => entry.msg.startsWith('call refused'));

describe('a call that cannot be taken', () => {
  const g729 = offer.replace('RTP/AVP 0 101', 'RTP/AVP 18').replace('rtpmap:0 PCMU', 'rtpmap:18 G729');
  const table: [string, Parameters<SipCaller['invite']>, number, string, Record<string, string>][] = [
    ['an unknown number', [offer, { user: '+15550000' }], 404, 'unknown-number', {}],
    ['no common codec', [g729], 488, 'no-common-codec', { Warning: '305' }],
    ['SRTP only', [offer.replace('RTP/AVP', 'RTP/SAVP')], 488, 'no-common-codec', {}],
    ['no audio', [offer.replace('m=audio', 'm=video')], 488, 'no-common-codec', {}],
    ['IPv6 media', [offer.replaceAll('IP4 127.0.0.1', 'IP6 ::1')], 488, 'no-common-codec', {}],
    ['broken SDP', ['v=0\r\nm=audio nonsense\r\n'], 400, 'bad-sdp', {}],
    ['a body of another kind', ['x', { contentType: 'text/plain' }], 400, 'bad-sdp', { Accept: 'sdp' }],
    [
      'an unknown extension',
      [offer, { headers: { Require: 'timer, resource-priority' } }],
      420,
      'unsupported-extension',
      { Unsupported: 'resource-priority' },
    ],
  ];
  for (const [what, invite, status, slug, headers] of table)
    it(`${what}: ${status}, with the reason in the log and a CDR`, async () => {
      stage = await PhoneStage.open(ground);
      const caller = await stage.newCaller();
      caller.invite(...invite);
      const final = await caller.final('INVITE');
      expect(final.status).toBe(status);
      expect(final.header('Reason')).toMatch(/^Q\.850;cause=\d+;text=/);
      for (const [name, value] of Object.entries(headers)) expect(final.header(name)).toContain(value);
      expect(refusedLine()).toMatchObject({ ending: slug, status, sipCallId: caller.callId });
      expect(await stage.lastCdr()).toMatchObject({ ending: slug, sipStatus: status, media: null });
      expect(stage.door.refusals.get(slug as 'bad-sdp')).toBe(1);
      expect(stage.agents).toEqual([]);
    });

  it('from nowhere that is listed: 403, and the log says which address', async () => {
    stage = await PhoneStage.open(ground, { trunks: [elsewhere] });
    const caller = await stage.newCaller();
    caller.invite(offer);
    expect((await caller.final('INVITE')).status).toBe(403);
    expect(refusedLine()).toMatchObject({ step: 'identify trunk', ending: 'unknown-trunk' });
    expect(String(refusedLine()?.['detail'])).toContain('127.0.0.1');
  });

  it('from a scanner: refused, but no line in the log', async () => {
    stage = await PhoneStage.open(ground, { trunks: [elsewhere] });
    const caller = await stage.newCaller();
    caller.invite(offer, { headers: { 'User-Agent': 'friendly-scanner' } });
    const { status } = await caller.final('INVITE');
    expect(status).toBe(quirks.scannerStatus);
    // Who is refused before us is not ours to count.
    expect(stage.door.refusals.get('unknown-trunk')).toBe(status === 403 ? 1 : undefined);
    expect(refusedLine()).toBeUndefined();
  });

  it("to another tenant's number: 404", async () => {
    stage = await PhoneStage.open(ground, { numbers: [{ ...CLINIC, tenant: 'other' }] });
    const caller = await stage.newCaller();
    caller.invite(offer);
    expect((await caller.final('INVITE')).status).toBe(404);
    expect(String(refusedLine()?.['detail'])).toContain('tenant other');
  });

  it(`twice by two ways: the second gets ${quirks.mergedStatus} and makes no call`, async () => {
    stage = await PhoneStage.open(ground, {}, () => new Promise(() => undefined));
    const caller = await stage.newCaller();
    caller.invite(offer, { sequence: 7, branch: 'z9hG4bKone' });
    await caller.waitFor('180', (one) => one.status === 180);
    const To = `<sip:+15550100@127.0.0.1:${stage.sipPort}>`;
    caller.invite(offer, { sequence: 7, branch: 'z9hG4bKtwo', headers: { To } });
    const isLast = (one: SipText): boolean =>
      one.status === quirks.mergedStatus && one.header('Via').includes('z9hG4bKtwo');
    await caller.waitFor(String(quirks.mergedStatus), isLast);
    expect(stage.door.calls).toBe(1);
  });

  it('but a Call-ID that another caller uses too is no loop', async () => {
    stage = await PhoneStage.open(ground, {}, () => new Promise(() => undefined));
    const [one, other] = await Promise.all([stage.newCaller(), stage.newCaller()]);
    one.invite(offer);
    await one.waitFor('180', (message) => message.status === 180);
    other.invite(offer, { headers: { 'Call-ID': one.callId } });
    await other.waitFor('180', (message) => message.status === 180);
    expect(stage.door.calls).toBe(2);
  });
});

describe('capacity', () => {
  it('refuses beyond calls.max with 503 and Retry-After, until a call is over', async () => {
    stage = await PhoneStage.open(ground, { calls: { max: 1 } });
    const [first, second] = await Promise.all([stage.newCaller(), stage.newCaller()]);
    await first.call(offer);
    second.invite(offer);
    const final = await second.final('INVITE');
    expect([final.status, final.header('Retry-After')]).toEqual([503, '10']);
    expect(refusedLine()).toMatchObject({ ending: 'no-capacity', step: 'have room' });
    await first.bye();
    await until('the first call is over', () => stage.door.calls === 0);
    await second.call(offer);
    await second.bye();
  });

  it("refuses beyond a tenant's calls_max, until a call of it is over", async () => {
    const tenants = [limitsOf({ tenant: 'default', calls_max: 1 })];
    const tenantGate = new TenantLimits({ tenants, redis: undefined, prefix: 'test' });
    stage = await PhoneStage.open(ground, { tenantGate });
    const [first, second] = await Promise.all([stage.newCaller(), stage.newCaller()]);
    await first.call(offer);
    second.invite(offer);
    const final = await second.final('INVITE');
    expect([final.status, final.header('Retry-After')]).toEqual([503, '10']);
    const detail = 'TENANT_CALLS_FULL: calls_max (1) of tenant default is reached';
    expect(refusedLine()).toMatchObject({ ending: 'no-capacity', step: 'spare other tenants', detail });
    await first.bye();
    await until('the first call is over', () => stage.door.calls === 0);
    await second.call(offer);
    await second.bye();
  });

  it("refuses beyond a trunk's calls_max", async () => {
    stage = await PhoneStage.open(ground, { trunks: [{ ...LOCAL_TRUNK, calls_max: 1 }] });
    const [first, second] = await Promise.all([stage.newCaller(), stage.newCaller()]);
    await first.call(offer);
    second.invite(offer);
    expect((await second.final('INVITE')).status).toBe(503);
    expect(String(refusedLine()?.['detail'])).toContain('trunk local');
    await first.bye();
  });

  it('refuses calls that come too fast', async () => {
    stage = await PhoneStage.open(ground, { calls: { per_second_max: 1 } });
    const [first, second] = await Promise.all([stage.newCaller(), stage.newCaller()]);
    await first.call(offer);
    second.invite(offer);
    expect((await second.final('INVITE')).status).toBe(503);
    expect(refusedLine()).toMatchObject({ step: 'keep the pace' });
    await first.bye();
  });

  it('refuses new calls while it drains, and lets old ones end by themselves', async () => {
    stage = await PhoneStage.open(ground);
    const [first, second] = await Promise.all([stage.newCaller(), stage.newCaller()]);
    await first.call(offer);
    stage.door.drain();
    second.invite(offer);
    const final = await second.final('INVITE');
    expect([final.status, final.header('Retry-After')]).toEqual([503, '10']);
    expect(stage.door.calls).toBe(1);
    await first.bye();
    await stage.door.idle();
    expect(stage.cdrs.map((cdr) => cdr['ending'])).toEqual(['shutting-down', 'caller-hung-up']);
  });
});

const digestTrunk: TrunkConfig = {
  ...LOCAL_TRUNK,
  name: 'digest',
  allow: [],
  auth: { username: 'trunk', password: 'secret' },
};

function authorize(challenge: string, options: { password?: string; nc?: string; uri: string }): string {
  const field = (name: string): string => new RegExp(`${name}="?([^",]+)`).exec(challenge)?.[1] ?? '';
  const algorithm = field('algorithm');
  const hash = (text: string): string =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const { password = 'secret', nc = '00000001', uri } = options;
  const [realm, nonce] = [field('realm'), field('nonce')];
  const response = hash(
    [hash(`trunk:${realm}:${password}`), nonce, nc, 'cn', 'auth', hash(`INVITE:${uri}`)].join(':'),
  );
  return (
    `Digest username="trunk", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}",` +
    ` algorithm=${algorithm}, cnonce="cn", nc=${nc}, qop=auth`
  );
}

describe('digest', () => {
  const challenged = async (caller: SipCaller): Promise<SipText> => {
    caller.invite(offer);
    const final = await caller.final('INVITE');
    expect(final.status).toBe(401);
    return final;
  };
  const uri = 'sip:+15550100@127.0.0.1';

  for (const [index, algorithm] of ['MD5', 'SHA-256'].entries())
    it(`takes a caller that answers the ${algorithm} challenge`, async () => {
      stage = await PhoneStage.open(ground, { trunks: [digestTrunk] });
      const caller = await stage.newCaller();
      const challenges = (await challenged(caller)).headers('WWW-Authenticate');
      expect(challenges[index]).toContain(`algorithm=${algorithm}`);
      const Authorization = authorize(challenges[index] ?? '', { uri });
      await caller.call(offer, { headers: { Authorization } });
      await caller.bye();
      expect(await stage.lastCdr()).toMatchObject({ trunk: 'digest', ending: 'caller-hung-up' });
      expect(stage.cdrs).toHaveLength(1);
    });

  it('refuses a wrong password with 403, and asks again when an answer is replayed', async () => {
    stage = await PhoneStage.open(ground, { trunks: [digestTrunk] });
    const caller = await stage.newCaller();
    const challenge = (await challenged(caller)).header('WWW-Authenticate');
    const wrong = authorize(challenge, { uri, password: 'guess' });
    caller.invite(offer, { headers: { Authorization: wrong } });
    expect((await caller.final('INVITE')).status).toBe(403);
    expect(refusedLine()).toMatchObject({ ending: 'bad-credentials' });
    const right = authorize(challenge, { uri });
    await caller.call(offer, { headers: { Authorization: right } });
    await caller.bye();
    const replayer = await stage.newCaller();
    replayer.invite(offer, { headers: { Authorization: right } });
    const again = await replayer.final('INVITE');
    expect(again.status).toBe(401);
    expect(again.header('WWW-Authenticate')).toContain('stale=true');
  });
});

describe('other requests', () => {
  it('answers OPTIONS of a known trunk with what it can do', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    const options = await caller.ask({ method: 'OPTIONS' });
    expect(options.status).toBe(200);
    expect(options.header('Allow')).toContain('INVITE');
    expect(options.header('Accept')).toContain('application/sdp');
    expect(options.header('Supported')).toContain('timer');
  });

  it('answers strangers with 403, and methods it lacks with 405', async () => {
    stage = await PhoneStage.open(ground, { trunks: [elsewhere] });
    const stranger = await stage.newCaller();
    expect((await stranger.ask({ method: 'OPTIONS' })).status).toBe(403);
    await stage.close();
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    for (const method of quirks.refusedVerbs) {
      const answer = await caller.ask({ method });
      expect([method, answer.status]).toEqual([method, 405]);
      expect(answer.header('Allow')).toContain('INVITE');
    }
  });
});

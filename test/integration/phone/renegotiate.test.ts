import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LOCAL_TRUNK, NOTHING_OPEN, PhoneGround, PhoneStage } from '../../support/phone-door/stage.ts';
import { RtpEndpoint } from '../../support/phone/rtp-endpoint.ts';
import { readAnswer, writeOffer, type Direction } from '../../support/phone/sdp.ts';
import { until } from '../../support/until.ts';

let ground: PhoneGround;
let stage: PhoneStage;

beforeAll(async () => {
  ground = await PhoneGround.open(31_400);
});
afterEach(async () => {
  await stage.close();
  expect(await stage.leftovers()).toEqual(NOTHING_OPEN);
});
afterAll(async () => {
  await ground.close();
});

const pcmu = { port: 40_000, codecs: ['pcmu'] } as const;
const offer = writeOffer(pcmu);
const versionOf = (sdp: string): number => Number(/^o=\S+ \d+ (\d+) /m.exec(sdp)?.[1]);
const timeline = (): string[] => stage.journal.list()[0]?.timeline.map((entry) => entry.type) ?? [];

describe('hold and resume', () => {
  const answers: [Direction, Direction][] = [
    ['sendonly', 'recvonly'],
    ['inactive', 'inactive'],
    ['recvonly', 'sendonly'],
  ];
  for (const [offered, answered] of answers)
    it(`answers ${offered} with ${answered}, never with sendrecv, and resumes`, async () => {
      stage = await PhoneStage.open(ground);
      const caller = await stage.newCaller();
      const first = await caller.call(offer);
      const hold = await caller.reinvite(writeOffer({ ...pcmu, direction: offered, version: 2 }));
      expect(hold.status).toBe(200);
      expect(readAnswer(hold.body).direction).toBe(answered);
      const resumed = await caller.reinvite(writeOffer({ ...pcmu, version: 3 }));
      expect(readAnswer(resumed.body).direction).toBe('sendrecv');
      expect([first, hold, resumed].map((one) => versionOf(one.body))).toEqual([1, 2, 3]);
      expect(resumed.header('Contact')).toContain('sip:');
      await caller.bye();
      const held = offered === 'recvonly' ? [] : ['held', 'resumed'];
      await until('the call is over', () => stage.door.calls === 0);
      expect(timeline()).toEqual(['ringing', 'answered', ...held]);
      expect(await stage.lastCdr()).toMatchObject({ holds: held.length / 2 });
    });

  it('takes the address 0.0.0.0 as hold', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    await caller.call(offer);
    const hold = await caller.reinvite(writeOffer({ ...pcmu, address: '0.0.0.0', version: 2 }));
    expect(readAnswer(hold.body).direction).toBe('recvonly');
    await caller.bye();
  });

  it('does not end a held call that sends no RTP, but a resumed one', async () => {
    const media = { ...LOCAL_TRUNK.media, rtp_timeout_ms: 300 };
    stage = await PhoneStage.open(ground, { trunks: [{ ...LOCAL_TRUNK, media }] });
    const caller = await stage.newCaller();
    await caller.call(writeOffer({ ...pcmu, direction: 'sendonly' }));
    const startedMs = performance.now();
    await until('three times the patience is over', () => performance.now() - startedMs > 900);
    expect(stage.door.calls).toBe(1);
    await caller.reinvite(writeOffer({ ...pcmu, version: 2 }));
    await caller.request('BYE');
    expect(await stage.lastCdr()).toMatchObject({ ending: 'rtp-timeout' });
  });

  it('keeps the version when nothing changes, as a session refresh must', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    const headers = { Supported: 'timer', 'Session-Expires': '600;refresher=uac' };
    const first = await caller.call(offer, { headers });
    expect(first.header('Session-Expires')).toBe('600;refresher=uac');
    const refresh = await caller.reinvite(offer, { headers });
    expect(versionOf(refresh.body)).toBe(versionOf(first.body));
    const update = await caller.ask({ method: 'UPDATE', headers });
    expect(update.status).toBe(200);
    expect(update.header('Session-Expires')).toBe('600;refresher=uac');
    expect(update.body).toBe('');
    await caller.bye();
  });

  it('holds by UPDATE', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    await caller.call(offer);
    const body = writeOffer({ ...pcmu, direction: 'sendonly', version: 2 });
    const update = await caller.ask({ method: 'UPDATE', body });
    expect(readAnswer(update.body).direction).toBe('recvonly');
    await caller.bye();
  });
});

describe('late offers', () => {
  it('offers in the 200 to an INVITE without a description, and talks after the ACK', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    const phone = await RtpEndpoint.open('pcma');
    caller.invite('');
    const ok = await caller.final('INVITE');
    expect(readAnswer(ok.body).payloadTypes).toEqual([0, 8, 101]);
    caller.ack({ sdp: writeOffer({ port: phone.port, codecs: ['pcma'] }) });
    await until('the agent is heard', () => phone.received.packets.length > 5);
    expect(phone.received.packets[0]?.payloadType).toBe(8);
    await caller.bye();
    expect(await stage.lastCdr()).toMatchObject({ codec: 'pcma', ending: 'caller-hung-up' });
    phone.close();
  });

  it('ends as bad-sdp when the ACK answers nothing', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    caller.invite('');
    await caller.final('INVITE');
    caller.ack();
    await caller.request('BYE');
    expect(await stage.lastCdr()).toMatchObject({ ending: 'bad-sdp', sipStatus: 200 });
  });

  it('offers its state again on a re-INVITE without one, and refuses to be asked twice', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    await caller.call(offer);
    await caller.reinvite(writeOffer({ ...pcmu, direction: 'sendonly', version: 2 }));
    caller.invite('');
    const again = await caller.final('INVITE');
    const described = readAnswer(again.body);
    expect(described.direction).toBe('sendrecv');
    expect(described.payloadTypes[0]).toBe(0);
    const glare = await caller.ask({ method: 'UPDATE', body: offer });
    expect(glare.status).toBe(491);
    caller.ack({ sdp: writeOffer({ ...pcmu, version: 3 }) });
    await until('the call is resumed', () => timeline().includes('resumed'));
    await caller.bye();
  });
});

describe('other changes', () => {
  it('follows a new address, port and codec', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    const [before, after] = await Promise.all([RtpEndpoint.open('pcmu'), RtpEndpoint.open('pcma')]);
    await caller.call(writeOffer({ port: before.port, codecs: ['pcmu'] }));
    await until('sound on the first port', () => before.received.packets.length > 3);
    const changed = await caller.reinvite(writeOffer({ port: after.port, codecs: ['pcma'], version: 2 }));
    expect(readAnswer(changed.body).payloadTypes).toEqual([8, 101]);
    await until('sound on the second port', () => after.received.packets.length > 3);
    expect(after.received.packets[0]?.ssrc).toBe(before.received.packets[0]?.ssrc);
    expect(after.received.packets.map((one) => one.payloadType)).not.toContain(0);
    await caller.bye();
    expect(await stage.lastCdr()).toMatchObject({ codec: 'pcma' });
    before.close();
    after.close();
  });

  it('refuses an offer that it cannot take with 488, and goes on as before', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    const first = await caller.call(offer);
    const g729 = offer.replace('RTP/AVP 0 101', 'RTP/AVP 18').replace('rtpmap:0 PCMU', 'rtpmap:18 G729');
    expect((await caller.reinvite(g729)).status).toBe(488);
    expect((await caller.reinvite('v=1')).status).toBe(400);
    const same = await caller.reinvite(offer);
    expect(versionOf(same.body)).toBe(versionOf(first.body));
    await caller.bye();
  });

  it('hears keys by INFO and RTP as one stream, and refuses what it does not know', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    const phone = await RtpEndpoint.open('pcmu');
    const ok = await caller.call(writeOffer({ port: phone.port, codecs: ['pcmu'] }));
    phone.sendTo(readAnswer(ok.body));
    const relay = { method: 'INFO', contentType: 'application/dtmf-relay' };
    expect((await caller.ask({ ...relay, body: 'Signal=5\r\nDuration=160\r\n' })).status).toBe(200);
    await phone.press('56');
    await until('the keys', () => stage.agent.digits.length === 2);
    expect((await caller.ask({ ...relay, body: 'Signal=#\r\n' })).status).toBe(200);
    expect(stage.agent.digits.join('')).toBe('56#');
    expect((await caller.ask({ ...relay, body: 'Signal=boo' })).status).toBe(400);
    expect((await caller.ask({ ...relay, contentType: 'text/plain', body: 'hi' })).status).toBe(415);
    expect((await caller.ask({ method: 'INFO' })).status).toBe(200);
    await caller.bye();
    expect(await stage.lastCdr()).toMatchObject({ digits: 3 });
    phone.close();
  });

  it('answers REFER and MESSAGE inside a call with 405, OPTIONS with 200', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    await caller.call(offer);
    const refer = await caller.ask({ method: 'REFER', headers: { 'Refer-To': '<sip:1@127.0.0.1>' } });
    expect([refer.status, refer.header('Allow')]).toEqual([405, expect.stringContaining('INVITE')]);
    expect((await caller.ask({ method: 'MESSAGE' })).status).toBe(405);
    expect((await caller.ask({ method: 'OPTIONS' })).status).toBe(200);
    await caller.bye();
  });
});

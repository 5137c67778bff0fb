import { afterEach, describe, expect, it } from 'vitest';
import { NOTHING_OPEN, PhoneGround, PhoneStage } from '../../support/phone-door/stage.ts';
import { writeOffer } from '../../support/phone/sdp.ts';
import { until } from '../../support/until.ts';

let ground: PhoneGround;
let stage: PhoneStage;

afterEach(async () => {
  await stage.close();
  await ground.close();
});

const offer = writeOffer({ port: 40_000, codecs: ['pcmu'] });

describe('a call that demands reliable ringing', () => {
  it('gets a 180 with RSeq, acknowledges it by PRACK, and is answered (RFC 3262)', async () => {
    const ready = Promise.withResolvers<undefined>();
    ground = await PhoneGround.open(32_600);
    stage = await PhoneStage.open(ground, {}, () => ready.promise.then(() => undefined));
    const caller = await stage.newCaller();
    const sequence = caller.invite(offer, { headers: { Require: '100rel', Supported: '100rel' } });
    const ringing = await caller.waitFor('180', (one) => one.status === 180);
    expect(ringing.header('Require')).toContain('100rel');
    const RAck = `${ringing.header('RSeq')} ${sequence} INVITE`;
    expect((await caller.ask({ method: 'PRACK', headers: { RAck } })).status).toBe(200);
    ready.resolve(undefined);
    expect((await caller.final('INVITE', sequence)).status).toBe(200);
    caller.ack();
    await until('the agent greets', () => stage.agent.greetings === 1);
    await caller.bye();
    expect(await stage.lastCdr()).toMatchObject({ ending: 'caller-hung-up' });
    expect(await stage.leftovers()).toEqual(NOTHING_OPEN);
  });
});

describe('the media thread', () => {
  it('is told to be dead: its calls end as media-failure, and the caller hears of it', async () => {
    ground = await PhoneGround.open(32_600);
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    await caller.call(offer);
    const thread = ground.threads.leastLoaded();
    ground.threads.events.emit('died', { thread, reason: 'a test said so' });
    expect((await caller.request('BYE')).header('Reason')).toContain('sound path failed');
    expect(await stage.lastCdr()).toMatchObject({ ending: 'media-failure', endingClass: 'server' });
    expect(await stage.leftovers()).toEqual(NOTHING_OPEN);
  });

  it('has no port left: 503, and everything opened beside it is closed', async () => {
    ground = await PhoneGround.open(32_600, 4);
    stage = await PhoneStage.open(ground);
    const callers = await Promise.all([1, 2, 3].map(() => stage.newCaller()));
    const finals = await Promise.all(
      callers.map(async (caller) => {
        caller.invite(offer);
        const final = await caller.final('INVITE');
        if (final.status === 200) caller.ack();
        return final.status;
      }),
    );
    expect(finals.sort()).toEqual([200, 200, 503]);
    await until('the refused call is over', () => stage.door.calls === 2);
    expect(stage.cdrs[0]).toMatchObject({ ending: 'no-capacity', sipStatus: 503 });
    expect(String(stage.cdrs[0]?.['detail'])).toContain('RTP_PORTS_EXHAUSTED');
    await stage.door.close();
    expect(await stage.leftovers()).toEqual(NOTHING_OPEN);
  });
});

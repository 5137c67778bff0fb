import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLog } from '../../../../src/base/log.ts';
import { referenceOf, Smpp, type SmppOptions } from '../../../../src/jobs/drivers/sms/smpp.ts';
import type { SmsNotice } from '../../../../src/jobs/drivers/sms/sms-driver.ts';
import { startSmsc, type Smsc } from '../../../support/jobs/providers/smsc.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { until } from '../../../support/until.ts';

const ACCOUNT = { systemId: 'trunkline', password: 'secret' };
const TEXT = {
  messageId: 'message_1',
  to: '+442079460123',
  from: '+442079460100',
  body: 'See you on Monday.',
};
const LONG = `${'A long text of many words. '.repeat(12)}€ {end}`;

interface Stage {
  readonly smsc: Smsc;
  readonly sms: Smpp;
  readonly taken: SmsNotice[];
}

async function stage(options: Partial<SmppOptions> = {}): Promise<Stage> {
  const smsc = await startSmsc(ACCOUNT);
  const taken: SmsNotice[] = [];
  const sms = Smpp.start({
    ...{ host: '127.0.0.1', port: smsc.port, tls: false, ...ACCOUNT, systemType: '' },
    ...{ windowMax: 10, answerTimeoutMs: 10_000, enquireEveryMs: 30_000 },
    take: (notice) => Promise.resolve(void taken.push(notice)),
    log: createLog({ level: 'silent' }),
    ...options,
  });
  onTestFinished(async () => {
    await sms.close();
    await smsc.close();
  });
  return { smsc, sms, taken };
}

function first<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error('there is none');
  return item;
}

describe('a text over SMPP', () => {
  it('goes out as GSM 03.38, with its reference, and a receipt is wanted', async () => {
    const { smsc, sms } = await stage();
    const id = await sms.send({ ...TEXT, body: 'Grüße @ 5 € {ok}' });
    expect(smsc.messages).toEqual([
      {
        ...{
          id,
          from: '442079460100',
          to: '442079460123',
          text: 'Grüße @ 5 € {ok}',
          parts: 1,
          dataCoding: 0,
        },
        ...{ reference: referenceOf('message_1'), isReceiptWanted: true },
      },
    ]);
  });

  it('goes out as UCS-2 when GSM 03.38 has not all of it', async () => {
    const { smsc, sms } = await stage();
    await sms.send({ ...TEXT, body: 'Привет 😀' });
    expect(smsc.messages).toMatchObject([{ text: 'Привет 😀', dataCoding: 8, parts: 1 }]);
  });

  it.each([
    ['in GSM 03.38', LONG, 0],
    ['in UCS-2', `${LONG} ж 😀`.repeat(2), 8],
  ])('is joined again when it is long, %s', async (_what, body, dataCoding) => {
    const { smsc, sms } = await stage();
    const id = await sms.send({ ...TEXT, body });
    expect(smsc.messages).toMatchObject([{ id, text: body, dataCoding }]);
    expect(first(smsc.messages).parts).toBeGreaterThan(2);
  });

  it('may come from a short code or from letters', async () => {
    const { smsc, sms } = await stage();
    await sms.send({ ...TEXT, from: '82000' });
    await sms.send({ ...TEXT, from: 'Clinic' });
    expect(smsc.messages.map((one) => one.from)).toEqual(['82000', 'Clinic']);
  });

  it.each([
    ['a full queue', 0x14, 'unavailable'],
    ['throttling', 0x58, 'unavailable'],
    ['an invalid number', 0x0b, 'refused'],
  ])('meets %s', async (_what, status, outcome) => {
    const { smsc, sms } = await stage();
    smsc.fail(status);
    await expect(sms.send(TEXT)).rejects.toMatchObject({ outcome });
    expect(smsc.messages).toEqual([]);
  });

  it('of which half was sent is one text again when it is sent anew', async () => {
    const { smsc, sms } = await stage();
    smsc.fail(undefined, 0x58);
    await expect(sms.send({ ...TEXT, body: LONG })).rejects.toMatchObject({ outcome: 'unavailable' });
    await sms.send({ ...TEXT, body: LONG });
    expect(smsc.messages.map((one) => one.text)).toEqual([LONG]);
  });

  it('keeps to the window, and all get their turn', async () => {
    const { smsc, sms } = await stage({ windowMax: 3 });
    smsc.hold();
    const sending = Array.from({ length: 10 }, (_, index) => sms.send({ ...TEXT, messageId: `m${index}` }));
    await until('the window is full', () => smsc.openMax === 3);
    smsc.resume();
    expect(new Set(await Promise.all(sending)).size).toBe(10);
    expect(smsc.openMax).toBe(3);
  });
});

describe('the link to a message centre', () => {
  it('comes back after the centre broke it, and what was under way is unclear', async () => {
    const clock = new ManualClock();
    const { smsc, sms } = await stage({ clock });
    smsc.fail('cut-after');
    await expect(sms.send(TEXT)).rejects.toMatchObject({ outcome: 'unclear' });
    expect(sms.link.state).toBe('waiting');
    clock.advance(1000);
    await until('it is bound again', () => sms.link.state === 'bound');
    await sms.send({ ...TEXT, messageId: 'message_2' });
    expect(smsc.messages.map((one) => one.reference)).toEqual(['message_1', 'message_2'].map(referenceOf));
    expect(smsc.binds).toBe(2);
  });

  it('holds texts that come while it is away', async () => {
    const clock = new ManualClock();
    const { smsc, sms } = await stage({ clock });
    await until('it is bound', () => sms.link.state === 'bound');
    smsc.kick();
    await until('it is lost', () => sms.link.state === 'waiting');
    const sending = sms.send(TEXT);
    clock.advance(1000);
    await sending;
    expect(smsc.messages).toHaveLength(1);
  });

  it('says so when it stays away', async () => {
    const clock = new ManualClock();
    const { smsc, sms } = await stage({ clock, answerTimeoutMs: 300 });
    await until('it is bound', () => sms.link.state === 'bound');
    smsc.kick();
    await until('it is lost', () => sms.link.state === 'waiting');
    const sending = expect(sms.send(TEXT)).rejects.toMatchObject({ outcome: 'unavailable' });
    clock.advance(400);
    await sending;
  });

  it('tries ever more slowly, up to a minute, while binds are refused', async () => {
    const clock = new ManualClock();
    const { smsc, sms } = await stage({ clock });
    const lost: number[] = [];
    sms.link.events.on('lost', () => lost.push(clock.nowMs()));
    smsc.refuseBinds(0x0e);
    smsc.kick();
    const tries = 9;
    for (let count = 1; count <= tries; count += 1) {
      await until('it was lost once more', () => lost.length === count);
      // Step by step: how long it waits is what is measured.
      while (sms.link.state === 'waiting') clock.advance(250);
    }
    await until('it was lost at last', () => lost.length > tries);
    const pauses = lost.slice(1).map((at, index) => at - (lost[index] ?? 0));
    pauses.forEach((pause, index) => {
      const whole = Math.min(1000 * 2 ** index, 60_000);
      expect(pause).toBeGreaterThanOrEqual(whole / 2);
      expect(pause).toBeLessThanOrEqual(whole + 250);
    });
    smsc.refuseBinds(0);
    while (sms.link.state === 'waiting') clock.advance(250);
    await until('it is bound again', () => sms.link.state === 'bound');
  });

  it('asks for signs of life, and gives up on a centre that gives none', async () => {
    const clock = new ManualClock();
    const { smsc, sms } = await stage({ clock });
    await until('it is bound', () => sms.link.state === 'bound');
    clock.advance(30_000);
    await until('the centre was asked', () => smsc.enquiries === 1);
    await until('the next is planned', () => clock.pending === 1);
    smsc.fail('silent');
    const sending = expect(sms.send(TEXT)).rejects.toMatchObject({ outcome: 'unclear' });
    await until('the text is on its way', () => clock.pending === 2);
    clock.advance(10_000);
    await sending;
    expect(sms.link.state).toBe('waiting');
  });

  it.each([
    ['random octets', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['an endless length', Buffer.from('ffffffff80000009', 'hex')],
    ['nothing, and hangs up', Buffer.alloc(0)],
  ])('bears a server that says %s', async (_what, words) => {
    const clock = new ManualClock();
    const server = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end(words),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const { sms } = await stage({ clock, port });
    onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
    await until('it was given up', () => sms.link.state === 'waiting');
  });

  it('that is closed takes nothing more', async () => {
    const { sms } = await stage();
    await until('it is bound', () => sms.link.state === 'bound');
    await sms.close();
    await sms.close();
    await expect(sms.send(TEXT)).rejects.toMatchObject({ outcome: 'unavailable' });
    expect(sms.link.state).toBe('closed');
  });
});

describe('what a message centre says', () => {
  it.each([
    ['DELIVRD', 'delivered'],
    ['UNDELIV', 'undelivered'],
    ['EXPIRED', 'undelivered'],
    ['REJECTD', 'failed'],
  ])('of a message that is %s, by text or by TLV', async (word, status) => {
    const { smsc, sms, taken } = await stage();
    const providerMessageId = await sms.send(TEXT);
    expect(await smsc.receipt(first(smsc.messages), word, 'text')).toBe(0);
    expect(await smsc.receipt(first(smsc.messages), word, 'tlv')).toBe(0);
    expect(taken).toMatchObject([
      { type: 'receipt', providerMessageId, status, errorCode: undefined },
      { type: 'receipt', providerMessageId, status, reference: referenceOf('message_1'), from: TEXT.to },
    ]);
  });

  it('of one that is on its way is no news', async () => {
    const { smsc, sms, taken } = await stage();
    await sms.send(TEXT);
    expect(await smsc.receipt(first(smsc.messages), 'ENROUTE', 'tlv')).toBe(0);
    expect(taken).toEqual([]);
  });

  it('is what somebody wrote', async () => {
    const { smsc, sms, taken } = await stage();
    await until('it is bound', () => sms.link.state === 'bound');
    expect(await smsc.incoming({ from: '+442079460123', to: '+442079460100', body: 'Stop ж' })).toBe(0);
    expect(taken).toMatchObject([
      { type: 'received', from: '+442079460123', to: '+442079460100', text: 'Stop ж' },
    ]);
  });

  it('is asked for again when it could not be kept', async () => {
    let isAway = true;
    const taken: SmsNotice[] = [];
    const take = (notice: SmsNotice): Promise<void> =>
      isAway ? Promise.reject(new Error('the store is away')) : Promise.resolve(void taken.push(notice));
    const { smsc, sms } = await stage({ take });
    await sms.send(TEXT);
    expect(await smsc.receipt(first(smsc.messages), 'DELIVRD')).toBe(0x64);
    isAway = false;
    expect(await smsc.receipt(first(smsc.messages), 'DELIVRD')).toBe(0);
    expect(taken).toHaveLength(1);
  });
});

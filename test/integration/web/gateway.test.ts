/** The browser door of a whole gateway, with the offline agent behind it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TestGateway, briefProfile } from '../../support/gateway.ts';
import { until } from '../../support/until.ts';
import { Browser, SITE } from '../../support/web/browser.ts';

const agent_idle_ms = 60_000;
const entry = { widgetKey: 'demo', profile: 'desk' };

const cdrSchema = z.object({
  callId: z.string(),
  source: z.literal('web'),
  tenant: z.string(),
  profile: z.string(),
  from: z.string(),
  startedAt: z.string(),
  answeredAt: z.null(),
  endedAt: z.string(),
  ringingMs: z.number(),
  talkingMs: z.literal(0),
  ending: z.string(),
  endingClass: z.string(),
  detail: z.string().nullable(),
  agent: z.object({ replies: z.number(), costUsd: z.number(), unpriced: z.array(z.string()) }),
});

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await TestGateway.start({
    trunks: [{ name: 'local', allow: ['127.0.0.1'] }],
    numbers: [{ number: '+15550100', profile: 'desk' }],
    profiles: [briefProfile('desk', agent_idle_ms)],
    web: { widget_keys: [{ key: 'demo', origins: [SITE], profiles: ['desk'] }] },
  });
});

afterAll(() => gateway.close());

describe('a gateway', () => {
  it('takes visitors, counts what they have open, and has nothing left of them', async () => {
    const browser = await Browser.connect(gateway.gateway.webUrl);
    const joined = await browser.ask('join', entry);
    expect(joined.participants).toMatchObject([{ kind: 'agent' }]);
    await browser.ask('transport.create', { direction: 'send' });
    const { web, rooms } = await gateway.gateway.census();
    expect({ rooms, ...web }).toEqual({ rooms: 1, sockets: 1, visits: 1, guests: 1, transports: 1 });
    await browser.ask('leave', {});
    await browser.gone();
    expect(await gateway.leftOpen()).toEqual([]);
  });

  it('keeps a record of a visit, and writes its CDR', async () => {
    const browser = await Browser.connect(gateway.gateway.webUrl);
    const { roomId } = await browser.ask('join', entry);
    await browser.ask('leave', {});
    const cdrs = (): unknown[] => gateway.logLines.flatMap(({ cdr }) => (cdr === undefined ? [] : [cdr]));
    const ours = (cdr: unknown): boolean => cdrSchema.safeParse(cdr).data?.callId === roomId;
    await until('the CDR is written', () => cdrs().some(ours));
    expect(cdrSchema.parse(cdrs().find(ours))).toMatchObject({
      from: SITE,
      profile: 'desk',
      tenant: 'default',
      ending: 'visitor-left',
      endingClass: 'success',
      agent: { replies: 0, costUsd: 0, unpriced: [] },
    });
    const record = gateway.gateway.journal.get(roomId);
    expect(record).toMatchObject({ source: 'web', from: SITE, to: 'desk', ending: { slug: 'visitor-left' } });
    expect(record?.timeline.map(({ type }) => type)).toEqual(['ringing']);
  });

  it('shows operators the visit among the calls', async () => {
    const browser = await Browser.connect(gateway.gateway.webUrl);
    const { roomId } = await browser.ask('join', entry);
    const calls = await gateway.calls();
    expect(calls.find(({ callId }) => callId === roomId)).toMatchObject({ profile: 'desk', trunk: '' });
    await browser.ask('leave', {});
    expect(await gateway.leftOpen()).toEqual([]);
  });

  it('complains of nothing meanwhile', () => {
    expect(gateway.complaints.filter(({ msg }) => msg?.includes('widget is not built') !== true)).toEqual([]);
  });
});

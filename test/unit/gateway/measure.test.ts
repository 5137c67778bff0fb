import { describe, expect, it } from 'vitest';
import { ending } from '../../../src/base/ending.ts';
import { Metrics } from '../../../src/base/metrics.ts';
import { measureCalls, measureParts, type MeasuredParts } from '../../../src/gateway/measure.ts';
import type { Census, LegStats } from '../../../src/media/control.ts';
import { Journal, type CallOrigin } from '../../../src/room/journal.ts';

const origin = (callId: string, more: Partial<CallOrigin> = {}): CallOrigin => ({
  callId,
  sipCallId: `sip-${callId}`,
  tenant: 'acme',
  trunk: 'carrier',
  from: '+15550100',
  to: '+15550199',
  profile: 'clinic',
  ...more,
});

const reception = {
  packets: 1000,
  bytes: 160_000,
  lost: 12,
  duplicates: 0,
  late: 0,
  jitterMs: 1,
  droppedForeignSource: 0,
  droppedPayloadType: 0,
  droppedMalformed: 0,
  ssrcChanges: 0,
};
const stats = (more: Partial<LegStats> = {}): LegStats => ({
  fromCaller: reception,
  toCaller: { packets: 900, bytes: 1, ssrc: 1, lossRatio: 0.01, jitterMs: null, roundTripMs: null },
  mosFromCaller: 4.1,
  mosToCaller: null,
  dtmf: '',
  ...more,
});

async function values(metrics: Metrics): Promise<Map<string, number>> {
  const lines = (await metrics.scrape()).split('\n').filter((line) => /^[a-z]/.test(line));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

describe('calls', () => {
  it('are active from the opening to the end, by their door', async () => {
    const [journal, metrics] = [new Journal(), new Metrics({ ofProcess: false })];
    measureCalls(journal, metrics);
    journal.open(origin('one'));
    journal.open(origin('two', { source: 'web' }));
    journal.open(origin('three'));
    journal.close('one', ending('caller-hung-up'));
    const told = await values(metrics);
    expect(told.get('trunkline_calls_active{source="phone"}')).toBe(1);
    expect(told.get('trunkline_calls_active{source="web"}')).toBe(1);
  });

  it('are counted once by how they ended, with set-up time and length', async () => {
    const [journal, metrics] = [new Journal(), new Metrics({ ofProcess: false })];
    measureCalls(journal, metrics);
    journal.open(origin('one'));
    journal.add('one', { type: 'answered' });
    journal.close('one', ending('media-failure'));
    journal.close('one', ending('caller-hung-up'));
    const told = await values(metrics);
    expect(
      told.get('trunkline_calls_total{tenant="acme",source="phone",ending="media-failure",class="server"}'),
    ).toBe(1);
    expect(told.get('trunkline_call_setup_seconds_count{source="phone",profile="clinic"}')).toBe(1);
    expect(told.get('trunkline_call_duration_seconds_count{source="phone",profile="clinic"}')).toBe(1);
    expect([...told.keys()].filter((key) => key.includes('caller-hung-up'))).toEqual([]);
  });

  it('tell of tools and troubles', async () => {
    const [journal, metrics] = [new Journal(), new Metrics({ ofProcess: false })];
    measureCalls(journal, metrics);
    journal.open(origin('one'));
    journal.add('one', { type: 'tool', name: 'send_sms', arguments: {}, result: { ok: true } });
    journal.add('one', { type: 'tool', name: 'send_sms', arguments: {}, result: { ok: false } });
    journal.add('one', { type: 'tool', name: 'send_sms', arguments: {}, result: null });
    journal.add('one', { type: 'trouble', code: 'MODEL_UNAVAILABLE', detail: 'x' });
    const told = await values(metrics);
    expect(told.get('trunkline_tools_total{tool="send_sms",outcome="done"}')).toBe(1);
    expect(told.get('trunkline_tools_total{tool="send_sms",outcome="failed"}')).toBe(2);
    expect(told.get('trunkline_troubles_total{code="MODEL_UNAVAILABLE"}')).toBe(1);
  });

  it('tell how long callers waited, how fast the agent yielded, and what it cost', async () => {
    const [journal, metrics] = [new Journal(), new Metrics({ ofProcess: false })];
    measureCalls(journal, metrics);
    journal.open(origin('one'));
    const said = { type: 'said', text: 'x', heardMs: 100, model: 'm' } as const;
    journal.add('one', { ...said, interrupted: false, responseMs: 700, textMs: 300, audioMs: 600 });
    journal.add('one', { ...said, interrupted: true, responseMs: null, duckMs: 40, silenceMs: 100 });
    journal.add('one', {
      type: 'usage',
      model: 'm',
      source: 'response',
      provider: 'x',
      costUsd: 0.25,
      counts: {},
    });
    journal.add('one', {
      type: 'usage',
      model: 'x',
      source: 'response',
      provider: 'x',
      costUsd: null,
      counts: {},
    });
    const told = await values(metrics);
    const by = 'profile="clinic",model="m"';
    expect(told.get(`trunkline_turn_response_seconds_sum{${by}}`)).toBeCloseTo(0.7);
    expect(told.get(`trunkline_turn_stage_seconds_sum{${by},stage="text"}`)).toBeCloseTo(0.3);
    expect(told.get(`trunkline_turn_stage_seconds_sum{${by},stage="audio"}`)).toBeCloseTo(0.6);
    expect(told.get(`trunkline_barge_in_seconds_sum{${by},stage="duck"}`)).toBeCloseTo(0.04);
    expect(told.get(`trunkline_barge_in_seconds_sum{${by},stage="silence"}`)).toBeCloseTo(0.1);
    expect(told.get('trunkline_cost_usd_total{tenant="acme",model="m"}')).toBeCloseTo(0.25);
    expect([...told.keys()].filter((key) => key.includes('model="x"'))).toEqual([]);
  });

  it('leave their sound figures, as far as there are some', async () => {
    const [journal, metrics] = [new Journal(), new Metrics({ ofProcess: false })];
    measureCalls(journal, metrics);
    journal.open(origin('one'));
    journal.close('one', ending('caller-hung-up'), stats());
    journal.open(origin('two'));
    journal.close('two', ending('caller-hung-up'));
    const told = await values(metrics);
    expect(told.get('trunkline_rtp_packets_total{direction="from_caller"}')).toBe(1000);
    expect(told.get('trunkline_rtp_packets_lost_total{direction="from_caller"}')).toBe(12);
    expect(told.get('trunkline_rtp_packets_lost_total{direction="to_caller"}')).toBe(9);
    expect(told.get('trunkline_rtp_mos_count{direction="from_caller"}')).toBe(1);
    expect(told.get('trunkline_rtp_mos_count{direction="to_caller"}')).toBeUndefined();
  });
});

const census: Census = {
  legs: 2,
  links: 1,
  voices: 2,
  players: 0,
  patches: 4,
  sockets: 3,
  opusStates: 0,
  portsUsed: 4,
  portsQuarantined: 0,
  ticked: 4,
  tickLateP50Ms: 0.5,
  tickLateP99Ms: 4,
};

const parts = (threads: MeasuredParts['threads']): MeasuredParts => ({
  threads,
  rooms: { size: 7 },
  sfu: { census: () => ({ workers: 2, routers: 7, transports: 14, producers: 3, consumers: 5 }) },
  phone: { refusals: new Map([['unknown-trunk', 11]]) },
  web: {
    census: () => ({ sockets: 1, visits: 1, guests: 1, transports: 2 }),
    refusals: new Map([['WEB_TOO_FAST', 2]]),
    alerts: 3,
  },
});

describe('parts', () => {
  it('are looked into at every scrape', async () => {
    const metrics = new Metrics({ ofProcess: false });
    measureParts(parts({ census: () => Promise.resolve([{ name: 'media-0', census }]), errors: 1 }), metrics);
    await metrics.scrape();
    const told = await values(metrics);
    expect(told.get('trunkline_rooms')).toBe(7);
    expect(told.get('trunkline_sfu_open{part="consumers"}')).toBe(5);
    expect(told.get('trunkline_web_open{part="transports"}')).toBe(2);
    expect(told.get('trunkline_refusals_total{code="WEB_TOO_FAST"}')).toBe(2);
    expect(told.get('trunkline_calls_refused_total{ending="unknown-trunk"}')).toBe(11);
    expect(told.get('trunkline_ice_alerts_total')).toBe(3);
    expect(told.get('trunkline_media_errors_total')).toBe(1);
    expect(told.get('trunkline_media_open{thread="media-0",part="patches"}')).toBe(4);
    expect(told.get('trunkline_media_tick_late_seconds{thread="media-0",quantile="0.99"}')).toBe(0.004);
  });

  it('that are gone are told no more, and a thread that does not answer hides nothing else', async () => {
    const metrics = new Metrics({ ofProcess: false });
    let names = ['media-0', 'media-1'];
    const answer = (): Promise<{ name: string; census: Census }[]> =>
      names.length === 0
        ? Promise.reject(new Error('died'))
        : Promise.resolve(names.map((name) => ({ name, census })));
    measureParts(parts({ census: answer, errors: 0 }), metrics);
    expect([...(await values(metrics)).keys()].some((key) => key.includes('media-0'))).toBe(true);
    names = ['media-1'];
    expect([...(await values(metrics)).keys()].some((key) => key.includes('media-0'))).toBe(false);
    names = [];
    expect((await values(metrics)).get('trunkline_rooms')).toBe(7);
  });
});

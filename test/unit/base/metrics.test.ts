import { describe, expect, it } from 'vitest';
import { METRICS } from '../../../src/base/metric-table.ts';
import { Metrics } from '../../../src/base/metrics.ts';

const line = async (metrics: Metrics, start: string): Promise<string | undefined> =>
  (await metrics.scrape()).split('\n').find((one) => one.startsWith(start));

const fresh = (): Metrics => new Metrics({ ofProcess: false });

describe('the table of metrics', () => {
  it.each(Object.entries(METRICS))('%s is named as Prometheus wants it', (name, row) => {
    expect(name).toMatch(/^trunkline_[a-z_]+$/);
    // A counter ends in _total, and nothing else does; times are in seconds.
    expect(name.endsWith('_total')).toBe(row.kind === 'counter');
    expect(name).not.toMatch(/_(ms|milliseconds)$/);
    expect(row.help).toMatch(/^[A-Z].*\.$/);
  });

  it.each(Object.entries(METRICS))('%s has no label that grows with the number of calls', (_name, row) => {
    const wild = ['call_id', 'callId', 'from', 'to', 'number', 'address', 'participant'];
    expect(row.labels.filter((label: string) => wild.includes(label))).toEqual([]);
  });

  it('has rising buckets', () => {
    for (const row of Object.values(METRICS)) {
      if (row.kind !== 'histogram') continue;
      expect([...row.buckets].sort((a, b) => a - b)).toEqual([...row.buckets]);
    }
  });
});

describe('metrics', () => {
  it('names every metric of the table with its help, before anything happened', async () => {
    const page = await fresh().scrape();
    for (const [name, row] of Object.entries(METRICS)) expect(page).toContain(`# HELP ${name} ${row.help}`);
  });

  it('count, set and observe under their labels', async () => {
    const metrics = fresh();
    metrics.count('trunkline_tools_total', { tool: 'send_sms', outcome: 'done' });
    metrics.count('trunkline_tools_total', { tool: 'send_sms', outcome: 'done' }, 2);
    metrics.set('trunkline_rooms', {}, 4);
    metrics.add('trunkline_rooms', {}, -1);
    metrics.observe('trunkline_rtp_mos', { direction: 'to_caller' }, 1.7);
    expect(await line(metrics, 'trunkline_tools_total{')).toBe(
      'trunkline_tools_total{tool="send_sms",outcome="done"} 3',
    );
    expect(await line(metrics, 'trunkline_rooms ')).toBe('trunkline_rooms 3');
    expect(await line(metrics, 'trunkline_rtp_mos_bucket{le="1.5"')).toMatch(/ 0$/);
    expect(await line(metrics, 'trunkline_rtp_mos_bucket{le="2"')).toMatch(/ 1$/);
  });

  it('never let a counter go back', async () => {
    const metrics = fresh();
    metrics.count('trunkline_rtp_packets_lost_total', { direction: 'from_caller' }, -5);
    metrics.count('trunkline_rtp_packets_lost_total', { direction: 'from_caller' }, 2);
    expect(await line(metrics, 'trunkline_rtp_packets_lost_total{')).toMatch(/ 2$/);
  });

  it('follow a counter that somebody else keeps, for each of its labels', async () => {
    const metrics = fresh();
    metrics.countTo('trunkline_refusals_total', { code: 'WEB_FULL' }, 3);
    metrics.countTo('trunkline_refusals_total', { code: 'WEB_TOO_FAST' }, 1);
    metrics.countTo('trunkline_refusals_total', { code: 'WEB_FULL' }, 3);
    metrics.countTo('trunkline_refusals_total', { code: 'WEB_FULL' }, 5);
    expect(await line(metrics, 'trunkline_refusals_total{code="WEB_FULL"')).toMatch(/ 5$/);
    expect(await line(metrics, 'trunkline_refusals_total{code="WEB_TOO_FAST"')).toMatch(/ 1$/);
  });

  it('ask the samplers before each scrape, and survive one that fails', async () => {
    const metrics = fresh();
    let asked = 0;
    metrics.onScrape(() => Promise.reject(new Error('a thread is gone')));
    metrics.onScrape(() => {
      throw new Error('at once');
    });
    metrics.onScrape(() => metrics.set('trunkline_rooms', {}, (asked += 1)));
    expect(await line(metrics, 'trunkline_rooms ')).toBe('trunkline_rooms 1');
    expect(await line(metrics, 'trunkline_rooms ')).toBe('trunkline_rooms 2');
  });

  it('tell of the process only when they should', async () => {
    expect(await fresh().scrape()).not.toContain('process_cpu_seconds_total');
    expect(await new Metrics().scrape()).toContain('process_cpu_seconds_total');
  });
});

describe('the page', () => {
  const SAMPLE = /^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?[0-9.e+-]+|\+Inf)$/;

  it('is well-formed whatever stands in a label', async () => {
    const metrics = fresh();
    const tenants = ['plain', 'with "quotes"', 'back\\slash', 'two\nlines', '{}', 'Ünï çödé', ''];
    for (const tenant of tenants)
      metrics.count('trunkline_cost_usd_total', { tenant, model: 'gpt-realtime-2.1' }, 0.5);
    const samples = (await metrics.scrape()).split('\n').filter((one) => one !== '' && !one.startsWith('#'));
    expect(samples.filter((sample) => !SAMPLE.test(sample))).toEqual([]);
    const costs = samples.filter((sample) => sample.startsWith('trunkline_cost_usd_total'));
    expect(costs).toHaveLength(tenants.length);
    expect(costs.every((sample) => sample.endsWith(' 0.5'))).toBe(true);
  });

  it('keeps what was counted under other labels apart', async () => {
    const metrics = fresh();
    metrics.count('trunkline_jobs_total', { queue: 'sms', outcome: 'done' });
    metrics.count('trunkline_jobs_total', { queue: 'crm', outcome: 'done' }, 4);
    const page = await metrics.scrape();
    expect(page).toContain('trunkline_jobs_total{queue="sms",outcome="done"} 1');
    expect(page).toContain('trunkline_jobs_total{queue="crm",outcome="done"} 4');
  });

  it('declares a type for every sample', async () => {
    const metrics = fresh();
    metrics.observe('trunkline_rtp_mos', { direction: 'to_caller' }, 4.2);
    metrics.set('trunkline_queue_depth', { queue: 'sms', state: 'waiting' }, 3);
    const lines = (await metrics.scrape()).split('\n');
    const types = new Map(
      lines.flatMap((one) => {
        const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(one) ?? [];
        return name === undefined || type === undefined ? [] : [[name, type] as const];
      }),
    );
    for (const sample of lines.filter((one) => one !== '' && !one.startsWith('#'))) {
      const name = SAMPLE.exec(sample)?.[1] ?? '';
      const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
      expect(types.get(family), sample).toMatch(/^(counter|gauge|histogram)$/);
    }
    expect(types.size).toBe(Object.keys(METRICS).length);
  });
});

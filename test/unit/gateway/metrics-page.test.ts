import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ENDINGS } from '../../../src/base/ending.ts';
import { METRICS } from '../../../src/base/metric-table.ts';
import { packageRoot } from '../../../src/config.ts';
import { JOB_OUTCOMES, JOB_STATES } from '../../../src/gateway/measure.ts';

const read = (...path: string[]): string => readFileSync(join(packageRoot, 'config', ...path), 'utf8');

const rows = read('prometheus', 'METRICS.md')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

describe('the page that explains the metrics', () => {
  it('has every metric once, in the order of the table, with its kind and labels', () => {
    const told = rows.map(([, name, kind, labels]) => ({ name, kind, labels }));
    const kept = Object.entries(METRICS).map(([name, { kind, labels }]) => ({
      ...{ name: `\`${name}\``, kind, labels: labels.length === 0 ? 'none' : labels.join(', ') },
    }));
    expect(told).toEqual(kept);
  });

  it('says of each what it says and when to worry', () => {
    for (const [, name, , , says = '', worry = ''] of rows) {
      expect(says, name).toMatch(/^[A-Z].*\.$/);
      expect(worry, name).toMatch(/^.{10,}\.$|^.{10,}\?.*\.$/);
    }
  });
});

/** Values of labels that are known beforehand, by metric and label. */
const VALUES: Record<string, readonly string[]> = {
  'trunkline_queue_depth state': JOB_STATES,
  'trunkline_jobs_total outcome': JOB_OUTCOMES,
  'trunkline_calls_total class': Object.values(ENDINGS).map((one) => one.class),
};

describe('alerts and the dashboard', () => {
  it.each([
    ['prometheus', 'alerts.yaml'],
    ['grafana', 'dashboards', 'trunkline.json'],
  ])('ask for values of labels that the gateway tells: %s', (...path) => {
    const text = read(...path).replaceAll('\\"', '"');
    const asked = [...text.matchAll(/\b(trunkline_\w+)\{(\w+)="([^"]*)"\}/g)];
    for (const [, name = '', label = '', value = ''] of asked)
      expect(VALUES[`${name} ${label}`], `${name}{${label}}`).toContain(value);
  });

  it('has rules that ask for such values', () => {
    const text = read('prometheus', 'alerts.yaml');
    for (const one of ['class="server"', 'outcome="failed"', 'state="waiting"']) expect(text).toContain(one);
  });
});

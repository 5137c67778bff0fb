/** The figures of a process, as Prometheus scrapes them (text format 0.0.4). */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { METRICS, type LabelsOf, type MetricName, type NamesOf } from './metric-table.ts';

/** Asked before each scrape: sets gauges. One that fails leaves its gauges as they were. */
export type Sampler = () => void | Promise<void>;

export class Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<MetricName, Counter>();
  readonly #gauges = new Map<MetricName, Gauge>();
  readonly #histograms = new Map<MetricName, Histogram>();
  readonly #samplers: Sampler[] = [];
  /** Of counters that others count for us: what they said last. */
  readonly #seen = new Map<string, number>();

  /** `ofProcess`: also memory, CPU, event loop and garbage collection of this process. */
  constructor(options: { ofProcess: boolean } = { ofProcess: true }) {
    const registers = [this.#registry];
    for (const [name, row] of Object.entries(METRICS) as [MetricName, (typeof METRICS)[MetricName]][]) {
      const settings = { name, help: row.help, labelNames: [...row.labels], registers };
      if (row.kind === 'counter') this.#counters.set(name, new Counter(settings));
      else if (row.kind === 'gauge') this.#gauges.set(name, new Gauge(settings));
      else this.#histograms.set(name, new Histogram({ ...settings, buckets: [...row.buckets] }));
    }
    if (options.ofProcess) collectDefaultMetrics({ register: this.#registry });
  }

  count<N extends NamesOf<'counter'>>(name: N, labels: LabelsOf<N>, by = 1): void {
    // A counter never goes back: a figure that is none (lost packets can be negative in RTCP) counts nothing.
    if (by > 0) this.#counters.get(name)?.inc(labels, by);
  }

  /** For a counter that somebody else keeps: `total` is what it stands at since the start. */
  countTo<N extends NamesOf<'counter'>>(name: N, labels: LabelsOf<N>, total: number): void {
    const key = JSON.stringify([name, labels]);
    this.count(name, labels, total - (this.#seen.get(key) ?? 0));
    this.#seen.set(key, total);
  }

  set<N extends NamesOf<'gauge'>>(name: N, labels: LabelsOf<N>, value: number): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  add<N extends NamesOf<'gauge'>>(name: N, labels: LabelsOf<N>, by: number): void {
    this.#gauges.get(name)?.inc(labels, by);
  }

  /** `value` in the unit of the name: seconds, or a score. */
  observe<N extends NamesOf<'histogram'>>(name: N, labels: LabelsOf<N>, value: number): void {
    this.#histograms.get(name)?.observe(labels, value);
  }

  /** Forgets all values of a gauge, so that what is gone is not told for ever. */
  reset(name: NamesOf<'gauge'>): void {
    this.#gauges.get(name)?.reset();
  }

  onScrape(sampler: Sampler): void {
    this.#samplers.push(sampler);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The whole page. Never rejects because of a sampler. */
  async scrape(): Promise<string> {
    await Promise.allSettled(this.#samplers.map(async (sampler) => sampler()));
    return this.#registry.metrics();
  }
}

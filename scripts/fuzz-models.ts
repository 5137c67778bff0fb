/**
 * A million damaged events through the adapters of both protocols: `npm run fuzz:models [-- EVENTS SEED]`.
 * Exits 1 with the seed when one of them throws.
 */
import { recordedStream } from '../test/support/realtime-server/fixtures.ts';
import { fuzzModel } from '../test/support/realtime-server/model-fuzz.ts';

const [events = '1000000', seed = '1'] = process.argv.slice(2);
for (const protocol of ['realtime', 'live'] as const) {
  const startedMs = performance.now();
  try {
    const recorded = recordedStream(protocol);
    const counts = await fuzzModel({ protocol, recorded, events: Number(events) / 2, seed: Number(seed) });
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    process.stdout.write(`${protocol}: ${JSON.stringify(counts)} in ${seconds} s\n`);
  } catch (error) {
    process.stderr.write(
      `${protocol} with seed ${seed}: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}

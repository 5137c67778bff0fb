/** The results as people read them: tables in Markdown. */
import type { LevelResult } from './level.ts';
import type { Machine } from './machine.ts';

/** `| a | b |` lines with a header rule; the first column is left, the others right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, column) =>
    Math.max(3, name.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const row = (cell: (width: number, at: number) => string): string => `| ${widths.map(cell).join(' | ')} |`;
  const rule = row((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const line = (cells: readonly string[]): string =>
    row((width, at) => (at === 0 ? (cells[at] ?? '').padEnd(width) : (cells[at] ?? '').padStart(width)));
  return [line(header), rule, ...rows.map(line)].join('\n');
}

/** With as many decimals as make sense of it; a dash for what was not measured. */
export function figure(value: number | null, decimals = 1): string {
  return value === null ? '–' : value.toFixed(decimals);
}

export function machineTable(machine: Machine): string {
  return table(
    ['machine', ''],
    [
      ['date', machine.date],
      ['commit', machine.commit],
      ['processor', `${machine.cpu}, ${machine.cores} cores`],
      ['memory', `${machine.memoryGib} GiB`],
      ['kernel', machine.kernel],
      ['Node.js', machine.node],
      ['mediasoup', machine.mediasoup],
      ['load average before the run', figure(machine.loadBefore, 2)],
    ],
  );
}

export function cpuTable(results: readonly LevelResult[]): string {
  const perCall = (share: number, calls: number): string => figure(share / Math.max(1, calls), 3);
  return table(
    [
      'calls',
      'gateway, % of a core per call',
      'gateway in all, %',
      'mediasoup in all, %',
      'gateway idle, %',
      'model stand-in, %',
      'callers, %',
      'after calls, %',
      'all else, %',
    ],
    results.map((result) => [
      String(result.calls),
      perCall(result.cpu.gateway, result.calls),
      figure(result.cpu.gateway),
      figure(result.cpu.mediasoup),
      figure(result.idle.gateway),
      figure(result.cpu.model),
      figure(result.cpu.callers),
      figure(result.cpu.afterCalls),
      figure(result.cpu.others),
    ]),
  );
}

export function soundTable(results: readonly LevelResult[]): string {
  return table(
    [
      'calls',
      'jitter p50, ms',
      'jitter p99, ms',
      'added delay p50, ms',
      'added delay p95, ms',
      'probes',
      'lost',
      "callers' clock late p99, ms",
      'packets of expected, %',
      'missing',
      'repeated',
    ],
    results.map((result) => [
      String(result.calls),
      figure(result.jitterMs.p50, 2),
      figure(result.jitterMs.p99, 2),
      figure(result.delayMs.p50),
      figure(result.delayMs.p95),
      String(result.delayMs.count),
      String(result.probesLost),
      figure(result.ownLateMs.p99, 2),
      figure((100 * result.packetsReceived) / Math.max(1, result.packetsExpected)),
      String(result.packetsMissing),
      String(result.packetsRepeated),
    ]),
  );
}

export function callTable(results: readonly LevelResult[]): string {
  const mib = (bytes: number): string => figure(bytes / 2 ** 20);
  return table(
    ['calls', 'setup p50, ms', 'setup p95, ms', 'failed', 'memory per call, KiB', 'gateway in all, MiB'],
    results.map((result) => [
      String(result.calls),
      figure(result.setupMs.p50),
      figure(result.setupMs.p95),
      String(result.failed.length),
      figure(result.gatewayRssPerCallBytes / 1024, 0),
      mib(result.gatewayRssBytes),
    ]),
  );
}

const METHOD = `Every level runs a fresh gateway (\`node src/main.ts\`, one media thread and one mediasoup
worker per core), calls from a second process (real SIP and RTP over UDP), and a third process in the model's
place (the Realtime protocol over a WebSocket per call, each batch of the caller's sound sent straight back).
Both directions carry 50 packets per second and call all the time, and every 20 ms is a message of its own on
the WebSocket: more than a real model sends, whose sound comes in larger pieces and with pauses. All processes
share the machine's cores; "after calls" are the private Redis, the database and the job process; where
"all else" is much, something else ran too and the figures are worth little.

- **CPU** is user and system time of the gateway process (all its threads) and of its mediasoup workers, from
  \`/proc\`, as a share of one core. Calls that nobody joins in the room send nothing through mediasoup.
- **Pacing jitter** is how far the arrival of a packet at the caller lies from 20 ms after the one before it.
- **Added delay** is a 20 ms tone from the caller to its first sound back at the caller. It holds everything:
  the gateway's jitter buffer, the 20 ms batch, both ways over the WebSocket, the echo, the playout queue, and
  up to 20 ms until the next packet is due. Nothing is subtracted. The echo is as fast as it is played, so
  a hiccup would lengthen the queue for good; it leaves out 40 ms of silence per second, so that it drains.
- **Setup** is INVITE to 200, with the model's session opened meanwhile, at 25 new calls per second.
- **Memory per call** is what the gateway's resident set grew by, after a warm-up, divided by the calls.
- The callers' own clock is part of jitter and delay; how late it ran stands beside them. Their process is a
  real-time thread where Linux allows it, as the gateway's media threads are: it measures and does not wait.`;

/** The whole section. */
export function report(results: readonly LevelResult[], notes = ''): string {
  const failures = results.flatMap(({ calls, failed }) =>
    failed.slice(0, 3).map((reason) => `- at ${calls} calls: ${reason}`),
  );
  return (
    [
      '### CPU',
      cpuTable(results),
      '### Sound',
      soundTable(results),
      '### Calls',
      callTable(results),
      ...(failures.length === 0 ? [] : ['Calls that failed:', failures.join('\n')]),
      '### How it is measured',
      METHOD,
      ...(notes === '' ? [] : [notes]),
      '',
    ]
      .join('\n\n')
      .trimEnd() + '\n'
  );
}

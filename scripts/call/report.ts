/** What `npm run call` prints: the conversation as both sides heard it, and the sum at the end. */
import type { Writable } from 'node:stream';
import type { CallRecord, TimelineEntry } from '../../test/support/operator.ts';

type Speaker = 'phone' | 'agent' | 'tool' | 'call';

export class CallReport {
  readonly #output: Writable;
  readonly #startedMs = performance.now();

  constructor(output: Writable) {
    this.#output = output;
  }

  line(speaker: Speaker, verb: string, text: string): void {
    const seconds = ((performance.now() - this.#startedMs) / 1000).toFixed(1).padStart(5);
    this.#output.write(`${seconds} s  ${speaker.padEnd(5)}  ${verb.padEnd(9)}  ${text}\n`);
  }

  /** An entry of the gateway's own timeline: what the other side says that it heard, said and did. */
  entry(entry: TimelineEntry): void {
    switch (entry.type) {
      case 'heard':
        this.line('agent', 'heard', quoted(entry.text));
        break;
      case 'said':
        this.line('agent', entry.interrupted ? 'broke off' : 'said', quoted(entry.text));
        break;
      case 'digit':
        this.line('agent', 'key', entry.digit);
        break;
      case 'tool':
        this.line('tool', entry.name, `${json(entry.arguments)} -> ${json(entry.result)}`);
        break;
      case 'trouble':
        this.line('call', 'trouble', `${entry.code}: ${entry.detail}`);
        break;
      case 'held':
      case 'resumed':
        this.line('call', entry.type, '');
        break;
      case 'failover':
        this.line('call', 'failover', [entry.step, entry.to, entry.detail].join(' ').trim());
        break;
      case 'handoff':
        this.line('call', 'handoff', `${entry.step} ${entry.by}`.trim());
        break;
      case 'supervised':
        this.line('call', entry.mode, `by ${entry.by}`);
        break;
      case 'voicemail':
        this.line('call', 'message', entry.path);
        break;
      case 'ringing':
      case 'answered':
      case 'usage':
        break;
    }
  }

  /** The last lines: what was booked, how quick the agent was, where the recording is. */
  sum(record: CallRecord | undefined, wavFile: string): void {
    const write = (name: string, text: string): void => {
      this.#output.write(`${name.padEnd(12)} ${text}\n`);
    };
    this.#output.write('\n');
    const booking = bookingOf(record);
    write('appointment', booking === undefined ? 'none was recorded' : json(booking));
    const replies = (record?.timeline ?? []).flatMap((entry) =>
      entry.type === 'said' && entry.responseMs !== null ? [entry.responseMs] : [],
    );
    write(
      'latency',
      replies.length === 0 ? 'unknown' : `${replies.join(', ')} ms (end of speech to first sound)`,
    );
    write('ending', record?.ending?.slug ?? 'unknown');
    write('recording', `${wavFile} (left: phone, right: agent)`);
  }
}

/** What the booking tool recorded; undefined when it did not. */
export function bookingOf(record: CallRecord | undefined): unknown {
  for (const entry of record?.timeline ?? []) {
    if (entry.type !== 'tool' || entry.name !== 'book_appointment') continue;
    const result: unknown = entry.result;
    if (typeof result === 'object' && result !== null && 'ok' in result && result.ok === true) return result;
  }
  return undefined;
}

function quoted(text: string): string {
  return `“${text}”`;
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

/** How things are called on the page. */
import type { WireHandoff } from '../../src/web/desk-wire.ts';
import type { CallState } from '../../widget/client/call-state.ts';

/** `+15550123`, or where a visitor's page is. */
export function callerName({ from, source }: Pick<WireHandoff, 'from' | 'source'>): string {
  if (source === 'web') return `A visitor of ${/^https?:/.test(from) ? new URL(from).host : 'the web page'}`;
  return from === '' ? 'A caller without a number' : from;
}

/** 75 000 ms: 1:15. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** What the line over a call says. */
export const CALL_WORDS: Readonly<Record<CallState, string>> = {
  idle: 'Connecting …',
  'asking-microphone': 'Allow the microphone, please',
  connecting: 'Connecting …',
  talking: 'Connected',
  reconnecting: 'The connection is lost; it is being restored …',
  ended: 'Over',
};

const TROUBLES: Readonly<Record<string, string>> = {
  'microphone-denied': 'The browser may not use the microphone: allow it next to the address bar.',
  'microphone-missing': 'No microphone was found.',
  'microphone-busy': 'Another program holds the microphone.',
};

/** A sentence for a person; what we have no words for is said by the gateway itself. */
export function troubleWords(trouble: string): string {
  return TROUBLES[trouble] ?? trouble;
}

/** Two lines for a human who takes a call over, made of what was said last. For models that give none. */
import type { TimelineEntry } from './journal.ts';

const words_max = 160;

/** "A caller from +15550123." and what was said last by either side, as it can be read aloud. */
export function briefingOf(from: string, timeline: readonly TimelineEntry[]): string {
  const last = (type: 'heard' | 'said'): string => {
    for (const entry of timeline.toReversed())
      if (entry.type === type && entry.text !== '') return shortened(entry.text);
    return '';
  };
  const asked = lastBefore(timeline);
  const heard = last('heard');
  const who = /^\+?[0-9]{2,20}$/.test(from) ? `A caller from ${from}.` : 'A visitor of the web page.';
  if (heard === '') return `${who} Nothing was understood so far.`;
  const before = asked === '' ? '' : ` To "${asked}":`;
  return `${who}${before} "${heard}"`;
}

/** What the agent had said when the caller spoke last. */
function lastBefore(timeline: readonly TimelineEntry[]): string {
  const at = timeline.findLastIndex((entry) => entry.type === 'heard' && entry.text !== '');
  const said = timeline.slice(0, Math.max(0, at)).findLast((entry) => entry.type === 'said');
  return said?.type === 'said' ? shortened(said.text) : '';
}

function shortened(text: string): string {
  return text.length <= words_max ? text : `${text.slice(0, words_max - 1).trimEnd()}…`;
}

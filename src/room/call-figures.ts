/** The figures of a call that is in the journal. */
import { addUp, type CallFigures } from '../base/call-figures.ts';
import type { TimelineEntry } from './journal.ts';

export function figuresOf(timeline: readonly TimelineEntry[]): CallFigures {
  return addUp(
    timeline.filter((one) => one.type === 'said' || one.type === 'failover' || one.type === 'usage'),
  );
}

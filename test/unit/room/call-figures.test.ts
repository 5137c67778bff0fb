import { describe, expect, it } from 'vitest';
import { figuresOf } from '../../../src/room/call-figures.ts';
import type { TimelineEntry } from '../../../src/room/journal.ts';

const said = (responseMs: number | null, interrupted = false): TimelineEntry => ({
  ...{ atMs: 0, type: 'said', text: 'x', heardMs: 100, interrupted },
  responseMs,
});
const usage = (model: string, costUsd: number | null): TimelineEntry => ({
  ...{ atMs: 0, type: 'usage', model, source: 'response', provider: 'x' },
  costUsd,
  counts: {},
});

describe('figuresOf', () => {
  it('is nothing for a call without an agent', () => {
    expect(figuresOf([{ atMs: 0, type: 'ringing' }])).toEqual({
      replies: 0,
      interruptions: 0,
      modelsLost: 0,
      responseP50Ms: null,
      responseMaxMs: null,
      costUsd: 0,
      unpriced: [],
    });
  });

  it('adds up turns, losses and cost', () => {
    const lost: TimelineEntry = { atMs: 0, type: 'failover', step: 'lost' };
    const back: TimelineEntry = { atMs: 0, type: 'failover', step: 'restored', to: 'offline' };
    expect(
      figuresOf([
        said(null),
        said(900),
        said(500, true),
        said(700),
        lost,
        back,
        usage('a', 0.01),
        usage('a', 0.0200004),
      ]),
    ).toMatchObject({
      replies: 4,
      interruptions: 1,
      responseP50Ms: 700,
      responseMaxMs: 900,
      modelsLost: 1,
      costUsd: 0.03,
    });
  });

  it('names models without a price once', () => {
    expect(figuresOf([usage('b', null), usage('a', null), usage('b', null)])).toMatchObject({
      costUsd: 0,
      unpriced: ['a', 'b'],
    });
  });
});

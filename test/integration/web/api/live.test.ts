import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ending } from '../../../../src/base/ending.ts';
import type { CallOrigin } from '../../../../src/room/journal.ts';
import { until } from '../../../support/until.ts';
import { ApiStage } from '../../../support/web/api-stage.ts';

let stage: ApiStage;
beforeAll(async () => {
  stage = await ApiStage.start();
});
afterAll(() => stage.close());

const origin = (callId: string, tenant = 'acme'): CallOrigin => ({
  ...{ callId, tenant, sipCallId: `sip-${callId}`, trunk: 'carrier' },
  ...{ from: '+15550100', to: '+15550199', profile: 'clinic' },
});

interface Told {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Reads a stream until it is told to stop. */
async function follow(key: string): Promise<{ told: Told[]; comments: string[]; stop: () => void }> {
  const abort = new AbortController();
  const response = await fetch(`${stage.url}/v1/live`, {
    headers: { authorization: `Bearer ${key}` },
    signal: abort.signal,
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const [told, comments]: [Told[], string[]] = [[], []];
  const read = async (): Promise<void> => {
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString('utf8');
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
        if (event === undefined || data === undefined) comments.push(block);
        else told.push({ event, data: JSON.parse(data) as Record<string, unknown> });
      }
    }
  };
  read().catch(() => undefined);
  return { told, comments, stop: () => abort.abort() };
}

describe('live calls', () => {
  it('begin with those that are open, and go on as they happen, for one tenant', async () => {
    stage.journal.open(origin('before'));
    stage.journal.add('before', { type: 'answered' });
    stage.journal.open(origin('foreign', 'other'));
    const { told, stop } = await follow(await stage.key('acme', ['calls:read']));
    await until('the snapshot', () => told.length === 1);
    expect(told[0]).toMatchObject({
      event: 'snapshot',
      data: { calls: [{ call_id: 'before', timeline: [{ type: 'answered' }] }] },
    });
    stage.journal.open(origin('new'));
    stage.journal.add('foreign', { type: 'heard', text: 'a secret' });
    stage.journal.caption('foreign', { who: 'visitor', text: 'secret', final: false, utteranceId: 'u' });
    stage.journal.caption('new', { who: 'visitor', text: 'hel', final: false, utteranceId: 'u1' });
    stage.journal.add('new', { type: 'heard', text: 'hello' });
    stage.journal.close('foreign', ending('caller-hung-up'));
    stage.journal.close('new', ending('caller-hung-up'));
    await until('the end', () => told.some((one) => one.event === 'closed'));
    expect(told.slice(1).map((one) => one.event)).toEqual(['opened', 'caption', 'added', 'closed']);
    expect(told.at(-1)?.data).toMatchObject({ call_id: 'new', ending: 'caller-hung-up' });
    expect(JSON.stringify(told)).not.toContain('secret');
    stop();
  });

  it('are kept open by a word now and then, and leave nothing behind when the reader goes', async () => {
    const { comments, stop } = await follow(await stage.key('acme'));
    const waits = (): number => stage.clock.pending;
    await until('the stream to wait', () => waits() > 0);
    const before = waits();
    stage.clock.advance(15_000);
    await until('a comment', () => comments.length === 1);
    expect(comments[0]).toBe(': here');
    stop();
    await until('the stream to be let go', () => waits() < before);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import type { Answer, ThreadOptions } from '../../../src/media/control.ts';
import { ERRORS_PER_SECOND_MAX, MediaThread } from '../../../src/media/media-thread-core.ts';
import type { VoicePort } from '../../../src/media/voice-port.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const OPTIONS: ThreadOptions = {
  name: 'test',
  place: 0,
  threads: 1,
  rtpAddress: '127.0.0.1',
  rtpPortMin: 34_000,
  rtpPortMax: 34_063,
  quarantineMs: 0,
  precedence: 'usual',
  logLevel: 'silent',
  agent: null,
};

/** A voice that fails wherever it is asked to. */
function brokenVoice(id: string, fails: { tick?: boolean; close?: boolean }): VoicePort {
  return {
    id,
    paced: true,
    sinks: [],
    take: () => undefined,
    command: () => undefined,
    tick: () => {
      if (fails.tick === true) throw new Error('tick failed');
    },
    close: () => {
      if (fails.close === true) throw new Error('close failed');
    },
  };
}

class Stage {
  readonly clock = new ManualClock();
  readonly posted: Answer[] = [];
  readonly thread: MediaThread;
  voicesClosed = 0;
  voicesDrained = 0;
  #seq = 0;

  constructor(fails: { tick?: boolean; close?: boolean } = {}) {
    this.thread = new MediaThread({
      options: OPTIONS,
      voices: {
        openVoice: (_spec, host) => brokenVoice(host.voiceId, fails),
        figures: () => ({ asked: this.posted.length }),
        drain: () => {
          this.voicesDrained++;
        },
        close: () => {
          this.voicesClosed++;
          return Promise.resolve();
        },
      },
      post: (answer) => this.posted.push(answer),
      clock: this.clock,
    });
  }

  async ask(command: unknown): Promise<unknown> {
    const seq = ++this.#seq;
    await this.thread.handle({ seq, command });
    return this.posted.find((answer) => 'seq' in answer && answer.seq === seq);
  }

  get errors(): string[] {
    return this.posted.flatMap((answer) => {
      const event = 'event' in answer ? (answer.event as { type: string; detail: string }) : null;
      return event?.type === 'thread.error' ? [event.detail] : [];
    });
  }
}

let stage: Stage;

afterEach(() => stage.thread.close());

const VOICE = { type: 'voice.open', voiceId: 'v', codec: 'pcmu', spec: null };

describe('messages that are no envelopes', () => {
  it.each([null, 7, 'x', {}, { seq: 'one', command: {} }, { seq: 1 / 3 }])(
    'are told, not answered: %j',
    async (message) => {
      stage = new Stage();
      await stage.thread.handle(message);
      expect(stage.errors).toHaveLength(1);
      expect(stage.posted).toHaveLength(1);
    },
  );
});

describe('commands', () => {
  it('ask what the voices share for its counts, and to get nothing ready any more', async () => {
    stage = new Stage();
    expect(await stage.ask({ type: 'voices.figures' })).toMatchObject({ result: { asked: 0 } });
    expect(await stage.ask({ type: 'voices.drain' })).toMatchObject({ result: null });
    expect([stage.voicesDrained, stage.voicesClosed]).toEqual([1, 0]);
    await stage.thread.close();
    expect([stage.voicesDrained, stage.voicesClosed]).toEqual([1, 1]);
  });

  it('are answered once each, in the order they came, also when one takes its time', async () => {
    stage = new Stage();
    const policy = { learnSource: true, learnWindowMs: 1, relatchAfterSilence: true, rtpTimeoutMs: 0 };
    const commands = [
      { type: 'leg.open', legId: 'a', policy },
      VOICE,
      { type: 'patch', from: 'a', to: 'v' },
      { type: 'nonsense' },
      { type: 'leg.close', legId: 'a' },
    ];
    await Promise.all(commands.map((command, seq) => stage.thread.handle({ seq, command })));
    expect(stage.posted.map((answer) => ('seq' in answer ? answer.seq : null))).toEqual([0, 1, 2, 3, 4]);
    expect(stage.posted.map((answer) => 'error' in answer)).toEqual([false, false, false, true, false]);
  });

  it('are refused after the thread closed', async () => {
    stage = new Stage();
    expect(await stage.ask({ type: 'thread.close' })).toEqual({ seq: 1, result: null });
    expect(stage.thread.closed).toBe(true);
    expect(await stage.ask(VOICE)).toMatchObject({ error: { code: 'MEDIA_NOT_OPEN' } });
    expect(stage.voicesClosed).toBe(1);
  });
});

describe('a part that fails', () => {
  it('in every tick is told so often a second, and then how often it was not', async () => {
    stage = new Stage({ tick: true });
    await stage.ask(VOICE);
    stage.clock.advance(999);
    expect(stage.errors).toHaveLength(ERRORS_PER_SECOND_MAX);
    stage.clock.advance(15);
    expect(stage.errors).toHaveLength(ERRORS_PER_SECOND_MAX + 1);
    expect(stage.errors.at(-1)).toMatch(/^tick failed \(and \d+ more before\)$/);
  });

  it('to close does not keep the others open', async () => {
    stage = new Stage({ close: true });
    await stage.ask(VOICE);
    await stage.ask({ ...VOICE, voiceId: 'w' });
    await stage.ask({ type: 'link.open', linkId: 'l' });
    await stage.thread.close();
    expect(stage.errors).toEqual(['close failed', 'close failed']);
    expect([stage.thread.closed, stage.voicesClosed, stage.clock.pending]).toEqual([true, 1, 0]);
  });
});

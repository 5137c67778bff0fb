/**
 * The failover table: a voice with the real Realtime adapter against a server that fails in every way. What
 * the caller hears is counted in ticks of the voice, which gets no more of them than time passes, so that a
 * slow machine makes nothing longer.
 */
import { describe, expect, it } from 'vitest';
import { createRealtimeModel } from '../../../src/agent/models/realtime/index.ts';
import { agentProfileSchema } from '../../../src/agent/profile.ts';
import { FAULTS, FaultyServer, type Fault } from '../../support/realtime-server/faulty.ts';
import { until } from '../../support/until.ts';
import { ScriptedModel } from '../../unit/agent/scripted-model.ts';
import { PHRASE_BYTE, profile as base, VoiceScene } from '../../unit/agent/voice-scene.ts';

/** How each fault ends: another session of the same model, or the next fallback. */
const ENDS: Readonly<Record<Fault, string>> = {
  close: 'restored realtime',
  stall: 'restored realtime',
  garbage: 'restored realtime',
  '429': 'restored offline',
  '500': 'restored offline',
  'wrong key': 'restored offline',
  // It trickles on; the voice fills the gaps.
  'slow link': '',
};
/** The bounds: something is heard within a second of the loss, and silence never lasts two. */
const FILLER_MS_MAX = 1000;
const SILENCE_MS_MAX = 2000;
const PATIENCE_MS = 25_000;

const profile = agentProfileSchema.parse({
  ...base,
  model: { adapter: 'realtime' },
  fallbacks: [{ type: 'offline' }],
  failover: { stall_ms: 2500 },
  turns: { idle_ms: 120_000 },
});

class Stage {
  readonly server: FaultyServer;
  readonly scene: VoiceScene;
  readonly offline: ScriptedModel;
  readonly #model: ReturnType<typeof createRealtimeModel>;

  private constructor(server: FaultyServer) {
    this.server = server;
    this.offline = new ScriptedModel();
    this.#model = createRealtimeModel({
      baseUrl: server.server.baseUrl,
      apiKey: 'key',
      model: 'test',
      voice: 'marin',
      connectTimeoutMs: 5000,
      appendMs: 20,
    });
    const models = { realtime: this.#model, offline: this.offline };
    this.scene = new VoiceScene(new ScriptedModel(), { models, spec: { profile } });
  }

  static async open(fault: Fault): Promise<Stage> {
    const stage = new Stage(await FaultyServer.start(fault));
    stage.scene.voice.command({ type: 'greet' });
    await stage.until('the greeting was heard', () => stage.texts.includes('Here I am.'));
    return stage;
  }

  get texts(): string[] {
    return this.scene.events('said').map((said) => said.text);
  }

  get steps(): string[] {
    return this.scene.events('line').map(({ step, to }) => (to === undefined ? step : `${step} ${to}`));
  }

  /** One tick for every 20 ms at the most. */
  async until(what: string, condition: () => boolean): Promise<void> {
    let tickedMs = performance.now();
    await until(
      what,
      () => {
        if (performance.now() - tickedMs >= 20) {
          tickedMs = performance.now();
          this.scene.run(20);
        }
        return condition();
      },
      PATIENCE_MS,
    );
  }

  async for(ms: number): Promise<void> {
    const endMs = this.scene.elapsedMs + ms;
    await this.until(`${ms} ms`, () => this.scene.elapsedMs >= endMs);
  }

  /** When the last frame left for the caller. */
  get lastFrameMs(): number {
    return (this.scene.toCaller.at(-1)?.rtpTimestamp ?? 0) / 8;
  }

  /** Longest time without a frame to the caller between two moments, in ms. */
  silenceMs(fromMs: number, toMs: number): number {
    const inside = this.scene.toCaller
      .map((frame) => frame.rtpTimestamp / 8)
      .filter((at) => at > fromMs && at <= toMs);
    const marks = [fromMs, ...inside, toMs];
    return Math.max(...marks.map((at, index) => at - (marks[index - 1] ?? at)));
  }

  async close(): Promise<void> {
    this.scene.voice.close();
    await this.#model.close();
    await this.server.close();
  }
}

describe.concurrent('the failover table', () => {
  it.each(FAULTS)('%s: nobody waits in silence, and the call goes on', { timeout: 60_000 }, async (fault) => {
    const stage = await Stage.open(fault);
    try {
      // The caller asks something, and in that moment it happens.
      stage.scene.run(600, 'speaking');
      const askedMs = stage.scene.elapsedMs;
      stage.server.strike();
      const end = ENDS[fault];
      if (end === '') await stage.for(8000);
      else {
        await stage.until(end, () => stage.steps.includes(end));
        if (end.endsWith('offline')) await stage.until('it says so', () => stage.offline.told.length > 1);
        if (end.endsWith('offline')) stage.offline.reply({ ms: 400 });
        await stage.for(2500);
        const lost = stage.scene.events('line')[0];
        expect(lost).toMatchObject({ step: 'lost', code: 'MODEL_UNAVAILABLE' });
      }
      expect(stage.silenceMs(askedMs, stage.lastFrameMs)).toBeLessThanOrEqual(SILENCE_MS_MAX);
      expect(stage.scene.events('hang_up')).toEqual([]);
      expect(stage.scene.events('failed').filter((one) => !one.retryable)).toEqual([]);
      // The session that took over knows what was said, and was asked to go on.
      if (end === '') expect(stage.texts).toContain('One moment, please.');
      else if (end.endsWith('realtime')) {
        const replayed = stage.server.server.connections.at(-1)?.all('conversation.item.create') ?? [];
        expect(JSON.stringify(replayed)).toContain('Here I am.');
      } else {
        expect(stage.offline.told.some((one) => one.startsWith('say '))).toBe(true);
        expect(stage.offline.calls[0]?.history).toContainEqual({ from: 'agent', text: 'Here I am.' });
      }
    } finally {
      await stage.close();
    }
  });

  it(
    'a server that does not come back: a filler within a second, and never two of silence',
    { timeout: 60_000 },
    async () => {
      const stage = await Stage.open('500');
      try {
        stage.offline.mute = true;
        stage.server.strike();
        await stage.until('it is lost', () => stage.steps.includes('lost'));
        const lostMs = stage.scene.elapsedMs;
        const frames = stage.scene.toCaller.length;
        const lostForGood = (): boolean => stage.scene.events('failed').some((one) => !one.retryable);
        await stage.until('nothing is left', lostForGood);
        const first = stage.scene.toCaller[frames];
        expect(first?.payload[0]).toBe(PHRASE_BYTE);
        expect((first?.rtpTimestamp ?? Infinity) / 8 - lostMs).toBeLessThanOrEqual(FILLER_MS_MAX);
        expect(stage.silenceMs(lostMs, stage.scene.elapsedMs)).toBeLessThanOrEqual(SILENCE_MS_MAX);
        // The offline voice does not answer either: nothing is left, and the door is told.
        expect(stage.steps.at(-1)).toBe('lost');
        expect(stage.scene.events('failed').at(-1)).toMatchObject({ retryable: false });
      } finally {
        await stage.close();
      }
    },
  );

  it('a server that was never there: the fallback greets, and the caller hears of nothing', async () => {
    const server = await FaultyServer.start('wrong key');
    server.strike();
    const model = createRealtimeModel({
      baseUrl: server.server.baseUrl,
      apiKey: 'key',
      model: 'test',
      voice: 'marin',
      connectTimeoutMs: 5000,
      appendMs: 20,
    });
    const offline = new ScriptedModel();
    const scene = new VoiceScene(new ScriptedModel(), {
      models: { realtime: model, offline },
      spec: { profile },
    });
    const steps = (): unknown[] => scene.events('line').map((one) => one.step);
    await expect
      .poll(() => {
        scene.run(20);
        return steps();
      })
      .toEqual(['lost', 'falling_back', 'restored']);
    expect(scene.events('line')[0]?.detail).toMatch(/refused the API key/);
    expect(offline.told).toEqual(['greet']);
    expect(scene.toCaller).toEqual([]);
    scene.voice.close();
    await model.close();
    await server.close();
  });
});

/**
 * A caller and an agent's voice joined by a simulated pacer: real models, real child processes, synthetic
 * time that runs faster than the clock.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { Agent, type ToolRunner } from '../../../src/agent/agent.ts';
import { agentProfileSchema, type AgentProfile } from '../../../src/agent/profile.ts';
import type { VoiceEvent } from '../../../src/agent/voice-control.ts';
import { FRAME_MS, FRAME_SAMPLES, type Codec, type Frame, type Sink } from '../../../src/media/frame.ts';
import { encode, G711 } from '../../../src/media/g711.ts';
import type { OpenVoice, VoicePort } from '../../../src/media/voice-port.ts';

export const clinicProfile = (): AgentProfile => {
  const path = new URL('../../../config/agents/clinic-receptionist.yaml', import.meta.url);
  return agentProfileSchema.parse(parse(readFileSync(path, 'utf8')));
};

/** Text to 8 kHz G.711 by espeak-ng: a voice the agent does not have itself. */
export function espeak(text: string, options: { codec: Codec; voice?: string }): Uint8Array {
  const wav = execFileSync('espeak-ng', ['-v', options.voice ?? 'en-us', '-s', '150', '--stdout', text]);
  const toRaw = ['-t', 'wav', '-', '-t', 'raw', '-r', '8000', '-e', 'signed', '-b', '16', '-c', '1', '-'];
  const raw = execFileSync('sox', [...toRaw, 'sinc', '300-3400', 'norm', '-6'], { input: wav });
  const samples = new Int16Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
  const bytes = new Uint8Array(samples.length);
  encode(options.codec, samples, bytes);
  return bytes;
}

export interface SimulatedCallOptions {
  readonly openVoice: OpenVoice;
  readonly profile: AgentProfile;
  readonly tools: ToolRunner;
  readonly codec: Codec;
  readonly callId?: string;
  /** Simulated ms per real ms. */
  readonly speed?: number;
  /** The caller's phone sends nothing while nobody speaks into it. */
  readonly suppressesSilence?: boolean;
}

/** Longest wait of a test for one thing to happen, in real ms. */
const WAIT_MS_MAX = 30_000;

export class SimulatedCall {
  readonly voice: VoicePort;
  readonly agent: Agent;
  /** Everything the voice reported, in order. */
  readonly log: VoiceEvent[] = [];
  /** Frames the caller received, as copies. */
  readonly received: { tick: number; payload: Uint8Array; marker: boolean; rtpTimestamp: number }[] = [];
  ticks = 0;
  /** 0: no more ticks until it is set again. */
  speed: number;
  readonly #codec: Codec;
  readonly #line: Sink & { sinks: readonly Sink[]; paced: boolean };
  readonly #frame: Frame;
  readonly #suppressesSilence: boolean;
  readonly #watchers = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  #speech: Uint8Array = new Uint8Array(0);
  #owedMs = 0;
  #lastMs = performance.now();
  #closed = false;

  constructor(options: SimulatedCallOptions) {
    this.#codec = options.codec;
    this.#suppressesSilence = options.suppressesSilence ?? false;
    this.speed = options.speed ?? 4;
    const voiceId = options.callId ?? 'call-1';
    this.#line = {
      id: 'caller',
      paced: false,
      sinks: [],
      take: (frame) => {
        const { marker, rtpTimestamp } = frame;
        this.received.push({ tick: this.ticks, payload: frame.payload.slice(), marker, rtpTimestamp });
      },
    };
    this.#frame = {
      codec: options.codec,
      sampleRateHz: 8000,
      payload: new Uint8Array(FRAME_SAMPLES),
      rtpTimestamp: 0,
      marker: false,
      gapMs: 0,
    };
    this.agent = new Agent({
      callId: voiceId,
      profile: options.profile,
      tools: options.tools,
      send: (command) => this.voice.command(structuredClone(command)),
    });
    this.voice = options.openVoice(structuredClone(this.agent.spec), {
      voiceId,
      codec: options.codec,
      report: (event) => {
        this.log.push(structuredClone(event) as VoiceEvent);
        this.agent.voiceEvent(structuredClone(event));
        this.#changed();
      },
    });
    this.voice.sinks = [this.#line];
    this.voice.sourceAdded?.(this.#line);
    this.#timer = setInterval(() => this.#run(), 2);
  }

  #run(): void {
    const nowMs = performance.now();
    // After a stall of the machine the call goes on from where it was, not with a burst.
    this.#owedMs += Math.min(50, nowMs - this.#lastMs) * this.speed;
    this.#lastMs = nowMs;
    for (; this.#owedMs >= FRAME_MS && !this.#closed; this.#owedMs -= FRAME_MS) this.#tick();
    this.#changed();
  }

  #tick(): void {
    this.ticks += 1;
    this.#frame.rtpTimestamp += FRAME_SAMPLES;
    if (this.#suppressesSilence && !this.speaking) this.#frame.gapMs += FRAME_MS;
    else this.#send();
    this.voice.tick(this.ticks, 0);
  }

  #send(): void {
    const part = this.#speech.subarray(0, FRAME_SAMPLES);
    this.#speech = this.#speech.subarray(part.length);
    this.#frame.payload.fill(G711[this.#codec].silence);
    this.#frame.payload.set(part);
    this.voice.take(this.#frame, this.#line);
    this.#frame.gapMs = 0;
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  get nowMs(): number {
    return this.ticks * FRAME_MS;
  }

  /** The caller says these bytes, beginning with the next tick. */
  play(bytes: Uint8Array): void {
    this.#speech = bytes;
  }

  get speaking(): boolean {
    return this.#speech.length > 0;
  }

  eventsOf<T extends VoiceEvent['type']>(type: T): Extract<VoiceEvent, { type: T }>[] {
    return this.log.filter((event): event is Extract<VoiceEvent, { type: T }> => event.type === type);
  }

  /** What was heard and said, for messages of failed tests. */
  get transcript(): string {
    const lines = this.log.map((event) => {
      if (event.type === 'heard') return `caller: ${event.text}`;
      if (event.type === 'said') return `agent:  ${event.text}${event.interrupted ? ' [cut]' : ''}`;
      return `        (${JSON.stringify(event)})`;
    });
    return lines.join('\n');
  }

  /** Resolves when `condition` holds; rejects with the transcript after a while. */
  until(what: string, condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        if (!condition()) return;
        clearTimeout(limit);
        this.#watchers.delete(settle);
        resolve();
      };
      const limit = setTimeout(() => {
        this.#watchers.delete(settle);
        reject(new Error(`waited in vain for ${what} at ${this.nowMs} ms:\n${this.transcript}`));
      }, WAIT_MS_MAX);
      this.#watchers.add(settle);
      settle();
    });
  }

  /** Waits until the agent has said something that matches, to its end. */
  async agentSaid(pattern: RegExp): Promise<void> {
    await this.until(`the agent to say ${String(pattern)}`, () =>
      this.eventsOf('said').some((said) => pattern.test(said.text)),
    );
  }

  /** Waits until the simulated clock has gone on by so much. */
  async pass(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    await this.until(`${ms} ms to pass`, () => this.nowMs >= end);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.voice.close();
    this.agent.close();
  }
}

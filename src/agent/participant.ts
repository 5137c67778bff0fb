/**
 * An agent as a participant of a room: its voice in the call's media thread, its tools on the main thread.
 */
import { TrunklineError, type ErrorCode } from '../base/errors.ts';
import { Events } from '../base/events.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type {
  AgentParticipant,
  AgentParticipantEvents,
  OpenAgent,
  OpenAgentOptions,
} from '../room/agent-door.ts';
import type { HumanDesk } from '../room/human-desk.ts';
import type { Journal } from '../room/journal.ts';
import { Agent, type ToolRunner } from './agent.ts';
import { costOf, type PriceTable } from './cost.ts';
import type { HandOver } from './failover-settings.ts';
import { handOver } from './hand-over.ts';
import type { AgentProfile } from './profile.ts';
import type { VoiceCommand } from './voice-control.ts';

export interface AgentSources {
  readonly profiles: ReadonlyMap<string, AgentProfile>;
  readonly tools: ToolRunner;
  readonly journal: Journal;
  /** Who takes a call whose models are gone; absent: nobody. */
  readonly humans?: Pick<HumanDesk, 'request'>;
  /** What models cost; absent: nothing has a price. */
  readonly prices?: PriceTable;
  /** The caller is told that the call will end soon after so many ms; absent: never. */
  readonly warnAfterMs?: number;
  readonly log: Log;
}

/**
 * How doors open agents. Throws when the profile does not exist: the configuration made sure that it does.
 */
export function createOpenAgent(sources: AgentSources): OpenAgent {
  return (options) => {
    const profile = sources.profiles.get(options.profile);
    if (profile === undefined) throw new Error(`no profile ${options.profile}`);
    return new Participant(sources, options, profile);
  };
}

class Participant implements AgentParticipant {
  readonly portId = newId('voice');
  readonly events = new Events<AgentParticipantEvents>();
  readonly #sources: AgentSources;
  readonly #options: OpenAgentOptions;
  readonly #agent: Agent;
  readonly #ready = Promise.withResolvers<undefined>();
  readonly #stopListening: () => void;
  #isReady = false;
  /** Whose words the caller hears: a label of metrics. */
  #model: string;
  #closing: Promise<void> | undefined;

  constructor(sources: AgentSources, options: OpenAgentOptions, profile: AgentProfile) {
    this.#sources = sources;
    this.#options = options;
    const { callId, tenant, thread, codec, call } = options;
    this.#model = profile.model.name || profile.model.adapter;
    this.#agent = new Agent({
      callId,
      tenant,
      profile,
      ...(call === undefined ? {} : { call }),
      ...(sources.warnAfterMs === undefined ? {} : { warnAfterMs: sources.warnAfterMs }),
      tools: sources.tools,
      send: (command) => this.#send(command),
    });
    // Nobody may be waiting when the call is given up first.
    this.#ready.promise.catch(() => undefined);
    this.#listen();
    this.#stopListening = thread
      .voiceEvents(this.portId)
      .on('event', (event) => this.#agent.voiceEvent(event));
    const opening = { type: 'voice.open', voiceId: this.portId, codec, spec: this.#agent.spec } as const;
    thread.request(opening).catch((error: unknown) => this.#failed(codeOf(error), String(error)));
  }

  async ready(): Promise<void> {
    await this.#ready.promise;
  }

  greet(): void {
    this.#agent.greet();
  }

  digit(digit: string): boolean {
    return this.#agent.digit(digit) === 'secret';
  }

  say(text: string, options?: { readonly uninterruptible?: boolean }): void {
    this.#agent.say(text, options);
  }

  hold(): void {
    this.#agent.hold();
  }

  resume(notice?: string): void {
    this.#agent.resume(notice);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { thread } = this.#options;
    this.#ready.reject(new TrunklineError('MODEL_UNAVAILABLE', 'the call ended first'));
    // A voice that never opened, or a thread that died, has nothing left to close. One that was speaking
    // tells first how much of it was heard.
    await thread.request({ type: 'voice.close', voiceId: this.portId }).catch(() => undefined);
    this.#agent.close();
    this.#stopListening();
  }

  #send(command: VoiceCommand): void {
    const { thread } = this.#options;
    thread
      .request({ type: 'voice.command', voiceId: this.portId, command })
      .catch((error: unknown) => this.#trouble(codeOf(error), String(error)));
  }

  #listen(): void {
    const { journal, log } = this.#sources;
    const { callId } = this.#options;
    const { events } = this.#agent;
    events.on('ready', () => {
      this.#isReady = true;
      this.#ready.resolve(undefined);
    });
    events.on('heard', ({ utteranceId, text, final }) => {
      if (final) journal.add(callId, { type: 'heard', text });
      journal.caption(callId, { who: 'visitor', text, final, utteranceId });
    });
    let spoken = { itemId: '', text: '' };
    events.on('saying', ({ itemId, text }) => {
      spoken = { itemId, text };
      journal.caption(callId, { who: 'agent', text, final: false, utteranceId: itemId });
    });
    events.on('said', ({ itemId, text, heardMs, interrupted, responseMs, ...times }) => {
      const { textMs, audioMs, duckMs, silenceMs } = times;
      const measured = { textMs, audioMs, ...(interrupted ? { duckMs, silenceMs } : {}) };
      journal.add(callId, {
        ...{ type: 'said', text, heardMs, interrupted, responseMs },
        ...measured,
        model: this.#model,
      });
      // Of a reply that was cut, the words that were heard.
      const heard = interrupted && spoken.itemId === itemId ? `${spoken.text} …` : text;
      journal.caption(callId, { who: 'agent', text: heard, final: true, utteranceId: itemId });
    });
    events.on('toolAsked', ({ name }) => log.debug({ callId, tool: name }, 'tool asked'));
    events.on('toolRan', ({ name, arguments: given, result, code, tookMs }) => {
      const { ok } = result as { ok: boolean };
      const took = Math.round(tookMs);
      journal.add(callId, { type: 'tool', name, arguments: given, result, code, tookMs: took });
      log.info({ callId, tool: name, ok, code, tookMs: took }, 'tool ran');
    });
    events.on('usage', ({ usage }) => {
      const { model, source, provider, ...counted } = usage;
      const counts = Object.fromEntries(Object.entries(counted).filter(([, count]) => count > 0));
      const costUsd = costOf(usage, this.#sources.prices ?? {});
      journal.add(callId, { type: 'usage', model, source, provider, costUsd, counts });
    });
    events.on('line', ({ step, to, code, detail }) => {
      if (step === 'restored' && to !== undefined) this.#model = to;
      const what = { step, ...(to && { to }), ...(code && { code }), ...(detail && { detail }) };
      journal.add(callId, { type: 'failover', ...what });
      log.warn({ callId, ...what }, 'the model of a call');
    });
    events.on('handOver', ({ to }) => void this.#handOver(to));
    events.on('voicemail', ({ path, recordedMs }) => {
      journal.add(callId, { type: 'voicemail', path, recordedMs });
      log.info({ callId, path, recordedMs }, 'a caller left a message');
    });
    events.on('hangUp', ({ reason }) => this.events.emit('hangUp', { reason }));
    events.on('failed', ({ code, detail, retryable }) => {
      if (retryable) this.#trouble(code, detail);
      else this.#failed(code, detail);
    });
  }

  async #handOver(to: HandOver): Promise<void> {
    const { callId, call } = this.#options;
    const { humans, journal } = this.#sources;
    const takers = { callId, ...(call && { call }), ...(humans && { humans }) };
    const result = await handOver(to, takers);
    journal.add(callId, { type: 'failover', step: 'handed_over', to: to.type, ...result });
    this.#agent.handedOver(result);
  }

  /** Something went wrong and the voice goes on. */
  #trouble(code: string, detail: string): void {
    if (this.#closing !== undefined) return;
    this.#sources.journal.add(this.#options.callId, { type: 'trouble', code, detail });
    this.#sources.log.warn({ callId: this.#options.callId, code, detail }, 'agent in trouble');
  }

  /** The voice is dead. */
  #failed(code: string, detail: string): void {
    if (this.#closing !== undefined) return;
    this.#trouble(code, detail);
    if (!this.#isReady) this.#ready.reject(new TrunklineError(asErrorCode(code), detail));
    this.events.emit('failed', { code, detail });
  }
}

function codeOf(error: unknown): string {
  return error instanceof TrunklineError ? error.code : 'MODEL_UNAVAILABLE';
}

function asErrorCode(code: string): ErrorCode {
  return code === 'SPEECH_UNAVAILABLE' ? code : 'MODEL_UNAVAILABLE';
}

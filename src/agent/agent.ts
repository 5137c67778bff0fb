/**
 * One agent in one call, seen from the main thread: tells its voice what to do, and runs the tools that it
 * asks for.
 */
import { messageOf, TrunklineError } from '../base/errors.ts';
import { Events } from '../base/events.ts';
import type { CallControl } from '../room/call-control.ts';
import { Keypad, type KeyFate } from './keypad.ts';
import type { AgentProfile } from './profile.ts';
import type { ToolCaller, ToolResult } from './tools/tool.ts';
import { voiceEventSchema, type VoiceCommand, type VoiceEvent, type VoiceSpec } from './voice-control.ts';

type EventOf<T extends VoiceEvent['type']> = Omit<Extract<VoiceEvent, { type: T }>, 'type'>;

export interface AgentEvents {
  /** The voice can hear and speak: let it `greet` as soon as the caller can hear it. */
  ready: Record<string, never>;
  heard: EventOf<'heard'>;
  /** The words said so far of a reply that sounds; `said` follows. */
  saying: EventOf<'saying'>;
  said: EventOf<'said'>;
  /** A tool is wanted, and begins to run now. */
  toolAsked: { name: string };
  /**
   * A tool was run; `code` tells why it failed, null when it gave a result (which may be `ok: false`).
   * Secrets are masked in what is told.
   */
  toolRan: { name: string; arguments: unknown; result: unknown; code: string | null; tookMs: number };
  usage: EventOf<'usage'>;
  /** A step from a lost model to whatever holds the call up. */
  line: EventOf<'line'>;
  /** The models are gone: find somebody who takes the call, and answer with `handedOver`. */
  handOver: EventOf<'hand_over'>;
  voicemail: EventOf<'voicemail'>;
  /** Everything has been said: end the call. */
  hangUp: EventOf<'hang_up'>;
  /** `retryable: false`: this voice is dead. */
  failed: EventOf<'failed'>;
}

/** What runs tools; ToolRegistry does. */
export interface ToolRunner {
  run(name: string, given: unknown, caller: ToolCaller): Promise<ToolResult>;
  /** What models are told of the tools that a profile's list permits, by name. */
  declarations?(allowed: readonly string[]): NonNullable<VoiceSpec['tools']>;
  /** The call is over. */
  callEnded?(callId: string): void;
}

export interface AgentOptions {
  readonly callId: string;
  readonly profile: AgentProfile;
  readonly tools: ToolRunner;
  /** Sends a command to the voice in its media thread. */
  readonly send: (command: VoiceCommand) => void;
  readonly tenant?: string;
  /** What the call's door can do for tools. */
  readonly call?: CallControl;
  /** The caller is told that the call will end soon after so many ms; absent: never. */
  readonly warnAfterMs?: number;
}

/** Said by the model in its own words when a tool could not be run. */
const TOOL_TROUBLE: ToolResult = { ok: false, reason: 'That is not possible at the moment.' };

export class Agent {
  readonly events = new Events<AgentEvents>();
  readonly #options: AgentOptions;
  readonly #keypad = new Keypad();
  /** Tools that were asked for before the call was answered; the voice bounds how many. */
  readonly #asked: EventOf<'tool.call'>[] = [];
  #isAnswered = false;
  #closed = false;

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  /** What `voice.open` needs. */
  get spec(): VoiceSpec {
    const { callId, profile, tools, warnAfterMs } = this.#options;
    const declared = tools.declarations?.(profile.tools);
    return {
      ...{ callId, profile },
      ...(declared === undefined ? {} : { tools: declared }),
      ...(warnAfterMs === undefined ? {} : { warnAfterMs }),
    };
  }

  /** The caller can hear us now: speak first. */
  greet(): void {
    this.#isAnswered = true;
    this.#send({ type: 'greet' });
    for (const call of this.#asked.splice(0)) void this.#runTool(call);
  }

  say(text: string, options: { readonly uninterruptible?: boolean } = {}): void {
    this.#send({ type: 'say', text, ...options });
  }

  /** Out while a human talks or the caller is on hold. */
  hold(): void {
    this.#send({ type: 'hold' });
  }

  resume(notice = ''): void {
    this.#send({ type: 'resume', notice });
  }

  /** Whoever took the call over is done with it, or nobody did. */
  handedOver(result: { readonly taken: boolean; readonly detail: string }): void {
    this.#send({ type: 'handed_over', ...result });
  }

  /** A key was pressed: the tool that waits for keys gets it, or else the model. */
  digit(digit: string): KeyFate {
    const fate = this.#keypad.pressed(digit);
    if (fate === 'free') this.#send({ type: 'digit', digit });
    return fate;
  }

  #send(command: VoiceCommand): void {
    if (!this.#closed) this.#options.send(command);
  }

  /** An event of the voice, as it came from the media thread. Anything that is none is told as `failed`. */
  voiceEvent(given: unknown): void {
    if (this.#closed) return;
    const parsed = voiceEventSchema.safeParse(given);
    if (parsed.success) {
      this.#tell(parsed.data);
      return;
    }
    this.events.emit('failed', {
      code: 'VOICE_COMMAND_INVALID',
      detail: `the voice said something unknown: ${parsed.error.message}`,
      retryable: true,
    });
  }

  #tell(event: VoiceEvent): void {
    switch (event.type) {
      case 'ready': {
        this.events.emit('ready', {});
        return;
      }
      case 'heard': {
        this.events.emit('heard', { ...event, text: this.#keypad.secrets.masked(event.text) });
        if (event.final) this.#keypad.heard(event.text);
        return;
      }
      case 'saying': {
        this.events.emit('saying', { ...event, text: this.#keypad.secrets.masked(event.text) });
        return;
      }
      case 'said': {
        this.events.emit('said', { ...event, text: this.#keypad.secrets.masked(event.text) });
        return;
      }
      case 'usage': {
        this.events.emit('usage', { usage: event.usage });
        return;
      }
      case 'line': {
        this.events.emit('line', event);
        return;
      }
      case 'hand_over': {
        this.events.emit('handOver', event);
        return;
      }
      case 'voicemail': {
        this.events.emit('voicemail', event);
        return;
      }
      case 'hang_up': {
        this.events.emit('hangUp', { reason: event.reason });
        return;
      }
      case 'failed': {
        this.events.emit('failed', event);
        return;
      }
      case 'tool.call':
        // A model that is quick asks for tools while the phone rings: nothing can be done to that call yet.
        if (this.#isAnswered) void this.#runTool(event);
        else this.#asked.push(event);
        return;
    }
  }

  async #runTool(call: EventOf<'tool.call'>): Promise<void> {
    const { callId, profile, tools, tenant, call: control } = this.#options;
    const startedMs = performance.now();
    let result = TOOL_TROUBLE;
    let code: string | null = null;
    this.events.emit('toolAsked', { name: call.name });
    try {
      result = await tools.run(call.name, call.arguments, {
        ...{ callId, profile, keypad: this.#keypad },
        ...(tenant === undefined ? {} : { tenant }),
        ...(control === undefined ? {} : { call: control }),
      });
    } catch (failure) {
      code = failure instanceof TrunklineError ? failure.code : 'TOOL_FAILED';
      const detail = failure instanceof TrunklineError ? failure.detail : messageOf(failure);
      // A model that chose its arguments by itself can mend them.
      if (code === 'TOOL_ARGUMENTS_INVALID') result = { ...TOOL_TROUBLE, problem: detail };
      if (!this.#closed) this.events.emit('failed', { code, detail, retryable: true });
    }
    const tookMs = performance.now() - startedMs;
    this.#send({ type: 'tool.result', callId: call.callId, result });
    // Told even when the call ended meanwhile: what a tool did belongs into the call's record.
    const { secrets } = this.#keypad;
    const told = { arguments: secrets.maskedDeep(call.arguments), result: secrets.maskedDeep(result) };
    this.events.emit('toolRan', { name: call.name, ...told, code, tookMs });
  }

  /** The voice is gone: nothing more is sent. Tools under way finish and are still told. */
  close(): void {
    this.#closed = true;
    this.#asked.length = 0;
    this.#keypad.end();
    this.#options.tools.callEnded?.(this.#options.callId);
  }
}

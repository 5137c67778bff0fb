import { systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf, TrunklineError } from '../base/errors.ts';
import { RtpAnchor } from './anchor.ts';
import { commandSchema, envelopeSchema } from './control.ts';
import type { Answer, Census, Command, CommandOf, LegStats, ThreadEvent, ThreadOptions } from './control.ts';
import { openOpusStates } from './opus.ts';
import { Pacer } from './pacer.ts';
import { Patchbay } from './patchbay.ts';
import { Player } from './player.ts';
import { PortPool } from './port-pool.ts';
import { SfuLink } from './sfu-link.ts';
import { loadSound } from './sound-file.ts';
import { SocketLedger } from './udp.ts';
import type { VoicePort, Voices } from './voice-port.ts';

/** Legs are bounded by their ports; of links, players and voices a thread holds so many at most. */
export const PARTS_MAX = 4096;
/** A part that fails in every tick must not flood the log. */
export const ERRORS_PER_SECOND_MAX = 20;

export interface MediaThreadParts {
  readonly options: ThreadOptions;
  /** Closed after the last voice. */
  readonly voices: Voices;
  /** To the main thread. */
  readonly post: (answer: Answer) => void;
  readonly clock?: Clock;
}

/**
 * Everything one media thread owns: legs, links, players, voices, and the patches between them.
 * Commands run one after the other in the order they came, and each gets exactly one answer.
 */
export class MediaThread {
  readonly #options: ThreadOptions;
  readonly #shared: Voices;
  readonly #post: (answer: Answer) => void;
  readonly #clock: Clock;
  readonly #ledger = new SocketLedger();
  readonly #pacer: Pacer;
  readonly #patchbay: Patchbay;
  readonly #pool: PortPool;
  readonly #legs = new Map<string, RtpAnchor>();
  readonly #links = new Map<string, SfuLink>();
  readonly #players = new Map<string, Player>();
  readonly #voices = new Map<string, VoicePort>();
  #queue: Promise<void> = Promise.resolve();
  #closed: Promise<void> | null = null;
  #empty = false;
  #errorSecond = 0;
  #errorsInSecond = 0;
  #errorsUntold = 0;

  constructor(parts: MediaThreadParts) {
    this.#options = parts.options;
    this.#shared = parts.voices;
    this.#post = parts.post;
    this.#clock = parts.clock ?? systemClock;
    this.#pacer = new Pacer({ clock: this.#clock, onError: (error) => this.reportError('tick', error) });
    this.#patchbay = new Patchbay(this.#pacer);
    const { rtpPortMin, rtpPortMax, quarantineMs } = parts.options;
    this.#pool = new PortPool({ min: rtpPortMin, max: rtpPortMax, quarantineMs }, this.#clock);
  }

  /** true once everything is closed. */
  get closed(): boolean {
    return this.#empty;
  }

  /** Takes one envelope from the main thread, of any shape. Resolves when it was answered; never rejects. */
  handle(message: unknown): Promise<void> {
    this.#queue = this.#queue.then(() => this.#run(message));
    return this.#queue;
  }

  /**
   * Tells the main thread of a failure that was contained; of a flood, so many a second and how many more.
   */
  reportError(where: string, error: unknown): void {
    const second = Math.floor(this.#clock.nowMs() / 1000);
    if (second !== this.#errorSecond) {
      this.#errorSecond = second;
      this.#errorsInSecond = 0;
    }
    this.#errorsInSecond++;
    if (this.#errorsInSecond > ERRORS_PER_SECOND_MAX) {
      this.#errorsUntold++;
      return;
    }
    const untold = this.#errorsUntold === 0 ? '' : ` (and ${this.#errorsUntold} more before)`;
    this.#errorsUntold = 0;
    this.#report({ type: 'thread.error', where, detail: messageOf(error) + untold });
  }

  /** Closes every part. Idempotent; resolves when no socket is open any more. */
  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #run(message: unknown): Promise<void> {
    const envelope = envelopeSchema.safeParse(message);
    if (!envelope.success) {
      this.reportError('envelope', new TrunklineError('MEDIA_COMMAND_INVALID', envelope.error.message));
      return;
    }
    const { seq, command } = envelope.data;
    try {
      const parsed = commandSchema.safeParse(command);
      if (!parsed.success) throw new TrunklineError('MEDIA_COMMAND_INVALID', parsed.error.message);
      if (this.#closed !== null) throw new TrunklineError('MEDIA_NOT_OPEN', this.#options.name);
      this.#post({ seq, result: (await this.#execute(parsed.data)) ?? null });
    } catch (error) {
      const known = error instanceof TrunklineError;
      if (!known) this.reportError('command', error);
      const code = known ? error.code : 'MEDIA_FAILED';
      this.#post({ seq, error: { code, detail: known ? error.detail : messageOf(error) } });
    }
  }

  /** What the command answers; undefined stands for null. */
  #execute(command: Command): unknown {
    switch (command.type) {
      case 'leg.open':
        return this.#openLeg(command);
      case 'leg.settle':
        this.#leg(command.legId).settle(command.settings);
        return null;
      case 'leg.dtmf':
        return this.#press(command);
      case 'leg.stats':
        return this.#leg(command.legId).stats();
      case 'leg.close':
        return this.#closeLeg(this.#leg(command.legId));
      case 'link.open':
        return this.#openLink(command);
      case 'link.target':
        this.#link(command.linkId).target(command);
        return null;
      case 'link.send':
        return this.#sendOnLink(command);
      case 'link.receive':
        return this.#receiveFromLink(command);
      case 'link.drop':
        return this.#dropFromLink(command);
      case 'link.close':
        return this.#closeLink(this.#link(command.linkId));
      case 'patch':
        this.#patchbay.patch(command.from, command.to);
        return null;
      case 'unpatch':
        this.#patchbay.unpatch(command.from, command.to);
        return null;
      case 'player.open':
        return this.#openPlayer(command);
      case 'player.close':
        return this.#closePlayer(found(this.#players, command.playerId));
      case 'voice.open':
        return this.#openVoicePort(command);
      case 'voice.command':
        found(this.#voices, command.voiceId).command(command.command);
        return null;
      case 'voice.close':
        return this.#closeVoice(found(this.#voices, command.voiceId));
      case 'voices.figures':
        return this.#shared.figures?.();
      case 'voices.drain':
        this.#shared.drain?.();
        return null;
      case 'census':
        return this.#census();
      case 'thread.close':
        return this.close();
    }
  }

  async #openLeg(command: CommandOf<'leg.open'>): Promise<unknown> {
    this.#checkFree(command.legId);
    const leg = await RtpAnchor.open({
      legId: command.legId,
      address: this.#options.rtpAddress,
      policy: command.policy,
      pool: this.#pool,
      ledger: this.#ledger,
      clock: this.#clock,
      report: (event) => this.#report(event),
      onError: (error) => this.reportError(`leg ${command.legId}`, error),
    });
    this.#legs.set(leg.id, leg);
    this.#patchbay.add(leg, { source: leg, sink: leg, ticked: { part: leg, phase: 'sink' } });
    return { address: this.#options.rtpAddress, rtpPort: leg.rtpPort, rtcpPort: leg.rtcpPort };
  }

  async #closeLeg(leg: RtpAnchor): Promise<LegStats> {
    this.#legs.delete(leg.id);
    this.#patchbay.remove(leg.id);
    await leg.close();
    return leg.stats();
  }

  #press(command: CommandOf<'leg.dtmf'>): null {
    if (!this.#leg(command.legId).press(command.digits, command)) {
      throw new TrunklineError('MEDIA_COMMAND_INVALID', `too many digits wait on ${command.legId}`);
    }
    return null;
  }

  async #openLink({ linkId }: CommandOf<'link.open'>): Promise<{ port: number }> {
    if (this.#links.has(linkId))
      throw new TrunklineError('MEDIA_COMMAND_INVALID', `${linkId} is open already`);
    this.#checkRoom(this.#links.size);
    const onError = (error: unknown): void => this.reportError(`link ${linkId}`, error);
    const link = await SfuLink.open({ linkId, ledger: this.#ledger, clock: this.#clock, onError });
    this.#links.set(linkId, link);
    return { port: link.port };
  }

  #sendOnLink(command: CommandOf<'link.send'>): null {
    const link = this.#link(command.linkId);
    // Asked before anything is made, so that an unknown source leaves nothing behind.
    this.#patchbay.source(command.fromId);
    const sender = link.sender(command);
    if (!this.#patchbay.has(sender.id)) this.#patchbay.add(sender, { sink: sender });
    if (sender.fromId !== null && sender.fromId !== command.fromId) {
      this.#patchbay.unpatch(sender.fromId, sender.id);
    }
    this.#patchbay.patch(command.fromId, sender.id);
    sender.fromId = command.fromId;
    sender.flowing = command.flowing;
    return null;
  }

  #receiveFromLink(command: CommandOf<'link.receive'>): null {
    this.#checkFree(command.sourceId);
    const receiver = this.#link(command.linkId).receiver(command.sourceId, command);
    this.#patchbay.add(receiver, { source: receiver });
    return null;
  }

  #dropFromLink({ linkId, ssrc }: CommandOf<'link.drop'>): null {
    for (const port of this.#link(linkId).drop(ssrc)) {
      this.#patchbay.remove(port.id);
      port.close();
    }
    return null;
  }

  async #closeLink(link: SfuLink): Promise<null> {
    this.#links.delete(link.id);
    for (const port of link.ports) this.#patchbay.remove(port.id);
    await link.close();
    return null;
  }

  async #openPlayer({ playerId, codec, play }: CommandOf<'player.open'>): Promise<null> {
    this.#checkFree(playerId);
    this.#checkRoom(this.#players.size);
    const player =
      play.kind === 'tone'
        ? Player.tone(playerId, codec, play)
        : Player.recording(playerId, codec, await loadSound(play.path, codec), play.loop);
    this.#players.set(playerId, player);
    this.#patchbay.add(player, { source: player, ticked: { part: player, phase: 'source' } });
    return null;
  }

  #closePlayer(player: Player): null {
    this.#players.delete(player.id);
    this.#patchbay.remove(player.id);
    player.close();
    return null;
  }

  #openVoicePort({ voiceId, codec, spec }: CommandOf<'voice.open'>): null {
    this.#checkFree(voiceId);
    this.#checkRoom(this.#voices.size);
    const voice = this.#shared.openVoice(spec, {
      voiceId,
      codec,
      report: (event) => this.#report({ type: 'voice.event', voiceId, event }),
    });
    this.#voices.set(voiceId, voice);
    this.#patchbay.add(voice, { source: voice, sink: voice, ticked: { part: voice, phase: 'source' } });
    return null;
  }

  #closeVoice(voice: VoicePort): null {
    this.#voices.delete(voice.id);
    this.#patchbay.remove(voice.id);
    voice.close();
    return null;
  }

  #census(): Census {
    const lateness = this.#pacer.takeLateness();
    return {
      legs: this.#legs.size,
      links: this.#links.size,
      voices: this.#voices.size,
      players: this.#players.size,
      patches: this.#patchbay.patches,
      sockets: this.#ledger.open,
      opusStates: openOpusStates(),
      portsUsed: this.#pool.used,
      portsQuarantined: this.#pool.quarantined,
      ticked: this.#pacer.size,
      tickLateP50Ms: lateness.p50Ms,
      tickLateP99Ms: lateness.p99Ms,
    };
  }

  /** One part that fails to close does not keep the others open. */
  async #closeAll(): Promise<void> {
    const closings = [
      ...[...this.#players.values()].map((player) => () => this.#closePlayer(player)),
      ...[...this.#voices.values()].map((voice) => () => this.#closeVoice(voice)),
      ...[...this.#legs.values()].map((leg) => () => this.#closeLeg(leg)),
      ...[...this.#links.values()].map((link) => () => this.#closeLink(link)),
      () => this.#shared.close(),
    ];
    for (const close of closings) {
      try {
        await close();
      } catch (error) {
        this.reportError('close', error);
      }
    }
    this.#pacer.close();
    this.#empty = true;
  }

  #leg(id: string): RtpAnchor {
    return found(this.#legs, id);
  }

  #link(id: string): SfuLink {
    return found(this.#links, id);
  }

  #checkFree(id: string): void {
    if (this.#patchbay.has(id)) throw new TrunklineError('MEDIA_COMMAND_INVALID', `${id} is open already`);
  }

  #checkRoom(parts: number): void {
    if (parts >= PARTS_MAX) {
      throw new TrunklineError('MEDIA_COMMAND_INVALID', `${PARTS_MAX} of its kind are open already`);
    }
  }

  #report(event: ThreadEvent): void {
    this.#post({ event });
  }
}

function found<T>(parts: ReadonlyMap<string, T>, id: string): T {
  const part = parts.get(id);
  if (part === undefined) throw new TrunklineError('MEDIA_NOT_OPEN', id);
  return part;
}

/** Microphone and sound of a call, as a test wants them: Node has neither. */
import { Emitter } from '../../../widget/client/emitter.ts';
import { MicrophoneError, type MicrophoneProblem } from '../../../widget/client/microphone.ts';
import type { Microphone, MicrophoneChoice, Microphones } from '../../../widget/client/microphone.ts';
import type { CallMedia, Direction, MediaEvents, RoomFacts } from '../../../widget/client/webrtc-media.ts';

export class ScriptedMicrophones implements Microphones {
  choices: MicrophoneChoice[] = [
    { deviceId: 'default', label: 'Built-in' },
    { deviceId: 'headset', label: 'Headset' },
  ];
  problem: MicrophoneProblem | undefined;
  /** Devices opened and not closed again. */
  readonly inUse: string[] = [];
  #unplugged: (() => void) | undefined;
  #changed: (() => void) | undefined;
  #answer: Promise<unknown> = Promise.resolve();

  /** Until the returned function is called, the browser's question stays open. */
  leaveUnanswered(): () => void {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#answer = promise;
    return () => resolve(undefined);
  }

  async open(deviceId = 'default'): Promise<Microphone> {
    await this.#answer;
    if (this.problem !== undefined) throw new MicrophoneError(this.problem);
    this.inUse.push(deviceId);
    return {
      track: { label: deviceId, getSettings: () => ({ deviceId }) } as unknown as MediaStreamTrack,
      level: () => 0.5,
      onLost: (listener) => (this.#unplugged = listener),
      close: () => this.inUse.splice(this.inUse.indexOf(deviceId), 1),
    };
  }

  list(): Promise<MicrophoneChoice[]> {
    return Promise.resolve(this.choices);
  }

  onChanged(listener: () => void): () => void {
    this.#changed = listener;
    return () => (this.#changed = undefined);
  }

  get watched(): boolean {
    return this.#changed !== undefined;
  }

  /** The one in use is pulled out. */
  unplug(): void {
    this.#unplugged?.();
  }

  plug(choice: MicrophoneChoice): void {
    this.choices.push(choice);
    this.#changed?.();
  }
}

/** Remembers what was asked of it; a test says when it is connected and when it fails. */
export class ScriptedMedia implements CallMedia {
  readonly events = new Emitter<MediaEvents>();
  readonly done: string[] = [];
  facts: RoomFacts | undefined;
  track: MediaStreamTrack | undefined;
  failure: Error | undefined;

  connection(direction: Direction, up: boolean): void {
    this.events.emit('connection', { direction, up });
  }

  open(facts: RoomFacts, track: MediaStreamTrack): Promise<void> {
    this.facts = facts;
    this.track = track;
    return this.#do('open');
  }

  add({ producerId }: { producerId: string }): Promise<void> {
    return this.#do(`add ${producerId}`);
  }

  remove(producerId: string): void {
    this.done.push(`remove ${producerId}`);
  }

  settle(producers: readonly { producerId: string }[]): Promise<void> {
    return this.#do(`settle ${producers.map(({ producerId }) => producerId).join(' ')}`);
  }

  restartIce(transportId = 'all'): Promise<void> {
    return this.#do(`restart ${transportId}`);
  }

  mute(muted: boolean): Promise<void> {
    return this.#do(muted ? 'mute' : 'unmute');
  }

  useMicrophone(track: MediaStreamTrack): Promise<void> {
    this.track = track;
    return this.#do(`use ${track.label}`);
  }

  unblockPlayback(): Promise<void> {
    return this.#do('unblock');
  }

  level(): number {
    return 0.25;
  }

  close(): void {
    this.events.removeAll();
    this.done.push('close');
  }

  #do(what: string): Promise<void> {
    this.done.push(what);
    return this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure);
  }
}

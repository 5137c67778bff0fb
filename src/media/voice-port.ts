import type { Codec, Port, Sink, Source, Ticked } from './frame.ts';

/**
 * What the patchbay needs to know of an AI voice. The agent's code implements it and is handed in
 * (src/media-thread.ts), so that src/media knows no models.
 */
export interface VoicePort extends Port, Source, Sink, Ticked {
  /** A command from the main thread; the agent's code parses it (unknown shapes are refused with a code). */
  command(command: unknown): void;
}

/** The door back out of a voice. Everything is posted to the main thread as it is. */
export interface VoiceHost {
  readonly voiceId: string;
  /** The codec that this voice hears and speaks: the phone leg's, so that nothing is transcoded. */
  readonly codec: Codec;
  report(event: unknown): void;
}

export type OpenVoice = (spec: unknown, host: VoiceHost) => VoicePort;

/** What voices of one thread share, and what the thread wants of it. */
export interface Voices {
  readonly openVoice: OpenVoice;
  /** For `voices.figures`; whoever asks parses it. Absent: nothing is counted. */
  figures?(): unknown;
  /** The gateway is stopping: nothing is got ready for calls any more. Calls go on. */
  drain?(): void;
  /** Ends what they share (child processes, pools). Their voices are closed. */
  close(): Promise<void>;
}

/** What a thread gives to its voices. */
export interface VoicesHost {
  /** Which thread this is, from 0, of how many. */
  readonly place: number;
  readonly threads: number;
  /** To the main thread, as it is. */
  report(event: unknown): void;
}

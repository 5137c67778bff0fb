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

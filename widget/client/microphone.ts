/** The visitor's microphone: asked for, measured, chosen, and every way in which it can be refused. */
import { LevelMeter } from './level-meter.ts';

export const MICROPHONE_PROBLEM = {
  /** The visitor, or a setting, forbids it. */
  denied: 'microphone-denied',
  /** None is plugged in. */
  missing: 'microphone-missing',
  /** Another program holds it. */
  busy: 'microphone-busy',
  /** Browsers give microphones to https pages and localhost only. */
  insecure: 'page-insecure',
} as const;
export type MicrophoneProblem = (typeof MICROPHONE_PROBLEM)[keyof typeof MICROPHONE_PROBLEM];

export class MicrophoneError extends Error {
  readonly problem: MicrophoneProblem;

  constructor(problem: MicrophoneProblem, options?: ErrorOptions) {
    super(problem, options);
    this.name = 'MicrophoneError';
    this.problem = problem;
  }
}

export interface MicrophoneChoice {
  readonly deviceId: string;
  readonly label: string;
}

export interface Microphone {
  readonly track: MediaStreamTrack;
  /** 0 (silence) to 1 (as loud as it gets), of the last few ms. */
  level(): number;
  /** Called when the device is unplugged. */
  onLost(listener: () => void): void;
  close(): void;
}

export interface Microphones {
  /** @throws MicrophoneError */
  open(deviceId?: string): Promise<Microphone>;
  /** Labels are empty until a microphone has been opened once. */
  list(): Promise<MicrophoneChoice[]>;
  /** Called when one is plugged in or out; returns what stops that. */
  onChanged(listener: () => void): () => void;
}

/** How browsers name the reasons (Media Capture and Streams, getUserMedia). */
const PROBLEM_OF: Readonly<Record<string, MicrophoneProblem>> = {
  NotAllowedError: MICROPHONE_PROBLEM.denied,
  SecurityError: MICROPHONE_PROBLEM.denied,
  NotFoundError: MICROPHONE_PROBLEM.missing,
  OverconstrainedError: MICROPHONE_PROBLEM.missing,
  NotReadableError: MICROPHONE_PROBLEM.busy,
  AbortError: MICROPHONE_PROBLEM.busy,
};

export function microphoneError(thrown: unknown): MicrophoneError {
  const name = thrown instanceof Error ? thrown.name : '';
  return new MicrophoneError(PROBLEM_OF[name] ?? MICROPHONE_PROBLEM.busy, { cause: thrown });
}

/**
 * Mono, and cleaned by the browser: the far end is a telephone's ear or a recogniser.
 */
export function constraints(deviceId?: string): MediaStreamConstraints {
  return {
    audio: {
      channelCount: 1,
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
      // A wish alone ("ideal") is now and then answered with the device that is in use already.
      ...(deviceId === undefined ? {} : { deviceId: { exact: deviceId } }),
    },
  };
}

/** `undefined` on pages that may have no microphone at all. */
function mediaDevices(): MediaDevices | undefined {
  return (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
}

/** A device that is gone gives way to another one. */
async function openStream(devices: MediaDevices, deviceId?: string): Promise<MediaStream> {
  try {
    return await devices.getUserMedia(constraints(deviceId));
  } catch (error) {
    const isGone = error instanceof Error && error.name === 'OverconstrainedError';
    if (isGone && deviceId !== undefined) return openStream(devices);
    throw microphoneError(error);
  }
}

export const browserMicrophones: Microphones = {
  async open(deviceId) {
    const devices = mediaDevices();
    if (devices === undefined) throw new MicrophoneError(MICROPHONE_PROBLEM.insecure);
    const stream = await openStream(devices, deviceId);
    const [track] = stream.getAudioTracks();
    if (track === undefined) throw new MicrophoneError(MICROPHONE_PROBLEM.missing);
    const meter = new LevelMeter(stream);
    return {
      track,
      level: () => meter.level(),
      onLost: (listener) => track.addEventListener('ended', listener),
      close: () => {
        track.stop();
        meter.close();
      },
    };
  },

  async list() {
    const all = (await mediaDevices()?.enumerateDevices()) ?? [];
    return all
      .filter((device) => device.kind === 'audioinput' && device.deviceId !== '')
      .map(({ deviceId, label }) => ({ deviceId, label }));
  },

  onChanged(listener) {
    const devices = mediaDevices();
    devices?.addEventListener('devicechange', listener);
    return () => devices?.removeEventListener('devicechange', listener);
  },
};

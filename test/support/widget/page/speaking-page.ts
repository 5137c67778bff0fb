/**
 * Runs inside a page, before anything else in it: the microphone is silent until the test speaks into it. A
 * file of Chromium's fake device knows no other time than its own, and talks on whatever the agent does.
 */
export interface SpeakingPage {
  /** 16-bit samples of 8 kHz, base64. Resolves when all of them were said. */
  say(sound: string): Promise<void>;
}

declare global {
  interface Window {
    speakingPage: SpeakingPage;
  }
}

const sound_hz = 8000;
const full_scale = 32768;

let microphone: MediaStreamAudioDestinationNode | undefined;

/** Browsers let a page sound once somebody has touched it: by now, they have. */
navigator.mediaDevices.getUserMedia = () => {
  microphone ??= new MediaStreamAudioDestinationNode(new AudioContext(), { channelCount: 1 });
  return Promise.resolve(microphone.stream);
};

window.speakingPage = {
  say: async (sound) => {
    if (microphone === undefined) throw new Error('nobody has asked for the microphone');
    const { buffer } = Uint8Array.from(atob(sound), (character) => character.charCodeAt(0));
    const samples = Float32Array.from(new Int16Array(buffer), (sample) => sample / full_scale);
    const { context } = microphone;
    const speech = context.createBuffer(1, samples.length, sound_hz);
    speech.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(context, { buffer: speech });
    source.connect(microphone);
    source.start();
    await new Promise((resolve) => source.addEventListener('ended', resolve));
  },
};

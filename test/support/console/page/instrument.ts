/**
 * Runs in the page before its own scripts: the microphone is an oscillator, which no echo canceller touches,
 * and every track that arrives is kept for the measurement.
 */
export {};

declare const frequencyHz: number;

const tracks: MediaStreamTrack[] = [];
let context: AudioContext | undefined;
const audio = (): AudioContext => (context ??= new AudioContext());
navigator.mediaDevices.getUserMedia = () => {
  const [tone, level] = [audio().createOscillator(), audio().createGain()];
  const out = audio().createMediaStreamDestination();
  tone.frequency.value = frequencyHz;
  level.gain.value = 0.3;
  tone.connect(level).connect(out);
  tone.start();
  return Promise.resolve(out.stream);
};
const Native = RTCPeerConnection;
window.RTCPeerConnection = class extends Native {
  constructor(...given: ConstructorParameters<typeof Native>) {
    super(...given);
    this.addEventListener('track', ({ track }) => tracks.push(track));
  }
};
Object.assign(window, {
  /** The loudest that each frequency is in any track that lives, in dB. */
  measure: async (frequenciesHz: number[]): Promise<number[]> => {
    const living = tracks.filter((track) => track.readyState === 'live');
    const levels = frequenciesHz.map(() => -Infinity);
    const analysers = living.map((track) => {
      const analyser = audio().createAnalyser();
      analyser.fftSize = 8192;
      analyser.smoothingTimeConstant = 0;
      audio()
        .createMediaStreamSource(new MediaStream([track]))
        .connect(analyser);
      return analyser;
    });
    // The time to listen is counted in the sound's own clock.
    const listening = audio().createConstantSource();
    listening.start();
    listening.stop(audio().currentTime + 0.4);
    await new Promise((resolve) => listening.addEventListener('ended', resolve));
    for (const analyser of analysers) {
      const bins = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(bins);
      const binHz = audio().sampleRate / analyser.fftSize;
      frequenciesHz.forEach((hz, at) => {
        const around = [-1, 0, 1].map((off) => bins[Math.round(hz / binHz) + off] ?? -Infinity);
        levels[at] = Math.max(levels[at] ?? -Infinity, ...around);
      });
      analyser.disconnect();
    }
    return levels;
  },
});

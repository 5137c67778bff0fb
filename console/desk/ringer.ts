/** The bell of a desk, and then the briefing, spoken: both heard by whoever sits there and nobody else. */

/** Two soft strokes and a pause, again and again. */
const stroke_hz = [660, 880] as const;
const round_ms = 2400;
/** The bell is heard first. */
const briefing_after_ms = 1600;

export class Ringer {
  #context: AudioContext | undefined;
  #rounds: ReturnType<typeof setInterval> | undefined;
  #later: ReturnType<typeof setTimeout> | undefined;
  #spoken: HTMLAudioElement | undefined;

  start(briefing: () => Promise<Blob | undefined>): void {
    this.stop();
    this.#context = new AudioContext();
    this.#strike();
    this.#rounds = setInterval(() => this.#strike(), round_ms);
    this.#later = setTimeout(() => void this.#speak(briefing), briefing_after_ms);
  }

  stop(): void {
    clearInterval(this.#rounds);
    clearTimeout(this.#later);
    this.#rounds = undefined;
    void this.#context?.close();
    this.#context = undefined;
    this.#spoken?.pause();
    if (this.#spoken !== undefined) URL.revokeObjectURL(this.#spoken.src);
    this.#spoken = undefined;
  }

  /** The bell rests while the briefing is read out. */
  async #speak(briefing: () => Promise<Blob | undefined>): Promise<void> {
    const ringing = this.#rounds;
    const sound = await briefing();
    if (sound === undefined || ringing === undefined || this.#rounds !== ringing) return;
    clearInterval(ringing);
    const spoken = (this.#spoken = new Audio(URL.createObjectURL(sound)));
    spoken.addEventListener('ended', () => {
      if (this.#spoken === spoken) this.#rounds = setInterval(() => this.#strike(), round_ms);
    });
    await spoken.play().catch(() => undefined);
  }

  #strike(): void {
    const context = this.#context;
    if (context === undefined) return;
    stroke_hz.forEach((frequency, index) => {
      const at = context.currentTime + index * 0.22;
      const [tone, level] = [context.createOscillator(), context.createGain()];
      tone.frequency.value = frequency;
      level.gain.setValueAtTime(0, at);
      level.gain.linearRampToValueAtTime(0.12, at + 0.02);
      level.gain.exponentialRampToValueAtTime(0.001, at + 0.6);
      tone.connect(level).connect(context.destination);
      tone.start(at);
      tone.stop(at + 0.65);
    });
  }
}

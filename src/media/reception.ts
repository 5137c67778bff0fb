/** Bookkeeping of one received line: sequence, loss, duplicates, jitter (RFC 3550 §6.4.1, A.1, A.3, A.8). */

/** Sequence numbers that were seen lately, to tell a duplicate from a late packet. */
const WINDOW = 128;
/** A bigger step forward than this is no loss but another line (RFC 3550 A.1). */
const DROPOUT_MAX = 3000;

/**
 * fresh: newest so far. late: older than the newest, seen for the first time.
 * duplicate: seen before. restarted: the sender began a new line (two packets in a row prove it).
 * doubtful: far off, and not proven yet.
 */
export type Verdict = 'fresh' | 'late' | 'duplicate' | 'restarted' | 'doubtful';

export class Reception {
  packets = 0;
  bytes = 0;
  duplicates = 0;
  late = 0;
  #jitter = 0;
  #transit: number | null = null;
  #started = false;
  #base = 0;
  #highest = 0;
  #received = 0;
  /** Of lines that ended: what they lacked, never negative. */
  #lostBefore = 0;
  #expectedBefore = 0;
  #receivedBefore = 0;
  #restartAt = -1;
  readonly #seen = new Float64Array(WINDOW).fill(-1);
  #expectedAtReport = 0;
  #receivedAtReport = 0;

  /** Takes note of one packet. `sequence` is its 16 bits, `bytes` its payload. */
  receive(sequence: number, bytes: number): Verdict {
    if (!this.#started) {
      this.#begin(sequence);
      return this.#count(sequence, bytes, 'fresh');
    }
    const step = ((sequence - this.#highest) << 16) >> 16;
    const extended = this.#highest + step;
    if (step > DROPOUT_MAX || step < -WINDOW) return this.#farOff(sequence, bytes);
    this.#restartAt = -1;
    if (step > 0) {
      this.#highest = extended;
      return this.#count(extended, bytes, 'fresh');
    }
    if (this.#seen[extended & (WINDOW - 1)] === extended) {
      this.duplicates++;
      return 'duplicate';
    }
    this.late++;
    // Older than the first one: nobody expected it, so it fills no hole.
    if (extended < this.#base) return 'late';
    return this.#count(extended, bytes, 'late');
  }

  /** The sender became another one (new SSRC): what was counted stays, the line begins anew. */
  restart(): void {
    this.#lostBefore += this.#lostOfLine();
    this.#expectedBefore += this.#expectedOfLine();
    this.#receivedBefore += this.#received;
    this.#started = false;
    this.#transit = null;
    this.#received = 0;
  }

  /**
   * Interarrival jitter (A.8); only for packets whose timestamp is a sampling time,
   * so not for RFC 4733 events.
   * `timestamp` and `arrival` count the RTP clock.
   */
  arrived(timestamp: number, arrival: number): void {
    const transit = (Math.round(arrival) - timestamp) | 0;
    if (this.#transit !== null) {
      const change = Math.abs((transit - this.#transit) | 0);
      this.#jitter += (change - this.#jitter) / 16;
    }
    this.#transit = transit;
  }

  /** The line's timestamps jumped: the next arrival is compared with nothing. */
  forgetTransit(): void {
    this.#transit = null;
  }

  /** In units of the RTP clock. */
  get jitter(): number {
    return this.#jitter;
  }

  get expected(): number {
    return this.#expectedBefore + this.#expectedOfLine();
  }

  get lost(): number {
    return this.#lostBefore + this.#lostOfLine();
  }

  /** Highest sequence number with cycles above it, 32 bits. */
  get highestSequence(): number {
    return this.#highest >>> 0;
  }

  /** Loss since the last call, as RTCP wants it: 0 to 255 of 256 (A.3). */
  takeFractionLost(): number {
    const expected = this.expected;
    const received = this.#receivedBefore + this.#received;
    const expectedNow = expected - this.#expectedAtReport;
    const lostNow = expectedNow - (received - this.#receivedAtReport);
    this.#expectedAtReport = expected;
    this.#receivedAtReport = received;
    if (expectedNow <= 0 || lostNow <= 0) return 0;
    return Math.min(255, Math.floor((lostNow * 256) / expectedNow));
  }

  #begin(sequence: number): void {
    this.#started = true;
    this.#base = sequence;
    this.#highest = sequence;
    this.#restartAt = -1;
    this.#seen.fill(-1);
  }

  #farOff(sequence: number, bytes: number): Verdict {
    if (sequence !== this.#restartAt) {
      this.#restartAt = (sequence + 1) & 0xffff;
      return 'doubtful';
    }
    this.restart();
    this.#begin(sequence);
    return this.#count(sequence, bytes, 'restarted');
  }

  #count(extended: number, bytes: number, verdict: Verdict): Verdict {
    this.#seen[extended & (WINDOW - 1)] = extended;
    this.packets++;
    this.#received++;
    this.bytes += bytes;
    return verdict;
  }

  #expectedOfLine(): number {
    return this.#started ? this.#highest - this.#base + 1 : 0;
  }

  #lostOfLine(): number {
    return Math.max(0, this.#expectedOfLine() - this.#received);
  }
}

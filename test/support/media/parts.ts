/** Sources and sinks for tests of what stands between them. */
import { FRAME_SAMPLES } from '../../../src/media/frame.ts';
import type { Codec, Frame, Sink, Source } from '../../../src/media/frame.ts';

export function testSource(options: { id?: string; paced?: boolean } = {}): Source {
  return { id: options.id ?? 'source', paced: options.paced ?? true, sinks: [] };
}

export function frameOf(fields: Partial<Frame> & { value?: number; codec?: Codec } = {}): Frame {
  const { value, ...rest } = fields;
  return {
    codec: 'pcmu',
    sampleRateHz: 8000,
    payload: new Uint8Array(FRAME_SAMPLES).fill(value ?? 0),
    rtpTimestamp: 0,
    marker: false,
    gapMs: 0,
    ...rest,
  };
}

/** Keeps copies of all frames that it takes. */
export class Collector implements Sink {
  readonly id: string;
  readonly frames: Frame[] = [];
  readonly from: string[] = [];
  added = 0;
  removed = 0;

  constructor(id = 'collector') {
    this.id = id;
  }

  take(frame: Frame, from: Source): void {
    this.frames.push({ ...frame, payload: Uint8Array.from(frame.payload) });
    this.from.push(from.id);
  }

  sourceAdded(): void {
    this.added++;
  }

  sourceRemoved(): void {
    this.removed++;
  }
}

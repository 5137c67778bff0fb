/** Recorded event streams: one event per line; the first line says where they are from. */
import { readFileSync } from 'node:fs';

/** The server's messages of a whole conversation. */
export function recordedStream(protocol: 'realtime' | 'live'): string[] {
  const file = new URL(`../../fixtures/realtime/${protocol}-booking.jsonl`, import.meta.url);
  return readFileSync(file, 'utf8').trim().split('\n').slice(1);
}

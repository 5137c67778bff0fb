/** What is written to a socket in one go leaves in one piece: system calls are a good part of the cost. */
import type { Writable } from 'node:stream';

const held = new WeakSet<Writable>();

/**
 * Call it before a write: that one, and what the same turn of promises writes after it, is sent when the turn
 * is over.
 */
export function sendTogether(stream: Writable): void {
  if (held.has(stream)) return;
  held.add(stream);
  stream.cork();
  // Behind all promises that are settled by now, and before anything that comes from outside.
  process.nextTick(() => {
    held.delete(stream);
    stream.uncork();
  });
}

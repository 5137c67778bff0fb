/** A process that another has started for itself, with an IPC channel, is nothing without it. */

/**
 * Calls `end` when the parent is gone, at once when it was gone before: Node tells `disconnect` to nobody who
 * listens later, and a parent may be killed while its child still loads. Nothing happens without a channel.
 */
export function whenParentGoes(end: () => void): void {
  if (process.send === undefined) return;
  if (process.connected) process.once('disconnect', end);
  else end();
}

/** Waits for something that no event tells: looks every few ms, and gives up in good time. */
const look_every_ms = 5;

/** @throws Error with `what` when it has not come true within `patienceMs` */
export async function until(what: string, condition: () => boolean, patienceMs = 5000): Promise<void> {
  const giveUpMs = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > giveUpMs) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, look_every_ms));
  }
}

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

const ask_every_ms = 100;

/**
 * Asks again until the answer is what is waited for. A question that fails is asked again.
 * @returns that answer
 * @throws Error with `what` and the latest failure when it has not come within `patienceMs`
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  isIt: (answer: T) => boolean,
  patienceMs = 60_000,
): Promise<T> {
  const giveUpMs = performance.now() + patienceMs;
  let cause: unknown;
  while (performance.now() < giveUpMs) {
    try {
      const answer = await ask();
      if (isIt(answer)) return answer;
      cause = answer;
    } catch (error) {
      cause = error;
    }
    await new Promise((resolve) => setTimeout(resolve, ask_every_ms));
  }
  throw new Error(`not within ${patienceMs} ms: ${what}`, { cause });
}

/**
 * What people write to stop messages, to have them again, or to ask what this is. The words are those that
 * carriers demand (CTIA Messaging Principles §5.1.3), in the languages that tenants add.
 */
export type OptWord = 'stop' | 'start' | 'help';

const WORDS: Readonly<Record<OptWord, readonly string[]>> = {
  stop: [
    'stop',
    'stopall',
    'stop all',
    'unsubscribe',
    'cancel',
    'end',
    'quit',
    'revoke',
    'optout',
    'opt out',
  ],
  start: ['start', 'unstop', 'yes', 'optin', 'opt in'],
  help: ['help', 'info'],
};

export interface OptWords {
  readonly stop: readonly string[];
  readonly start: readonly string[];
  readonly help: readonly string[];
}

/**
 * What an incoming text asks for, if it is nothing but such a word: "Stop." is, "stop by at ten" is not.
 * `more` adds words of a tenant's own languages.
 */
export function optWordOf(text: string, more: Partial<OptWords> = {}): OptWord | undefined {
  const bare = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} ]+/gu, ' ')
    .replace(/ +/g, ' ')
    .trim();
  // The order matters: a word that two lists share must rather stop.
  const order: readonly OptWord[] = ['stop', 'start', 'help'];
  return order.find((word) =>
    [...WORDS[word], ...(more[word] ?? [])].some((known) => known.toLowerCase() === bare),
  );
}

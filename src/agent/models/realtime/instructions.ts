/** For a response that has to say exactly these words. */
export function speakExactly(words: string): string {
  return `Say exactly the following words, in the same language, and nothing else: ${JSON.stringify(words)}`;
}

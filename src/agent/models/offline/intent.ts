/** What the caller wants: the task whose sample phrases an utterance resembles most. */
import type { AgentProfile, Task } from '../../profile.ts';
import { wordsOf } from './words.ts';

/** Words that carry no wish of their own. */
const STOP_WORDS = new Set(
  (
    "a an the i i'd i'm i'll you me my we it its is am are be do does can could would will shall like " +
    'please to for at on in of and or with your our this that there have has had get got um uh well ' +
    "so just hi hello good morning afternoon evening what's it's let's to from about how"
  ).split(' '),
);

/** Share of a phrase's weight that an utterance must carry to count. */
const SCORE_MIN = 0.6;

interface Sample {
  readonly task: Task;
  readonly words: ReadonlySet<string>;
  readonly weight: number;
}

export class Intent {
  readonly #samples: Sample[] = [];
  /** word -> how telling it is: 1 for words of one task, less the more tasks use it. */
  readonly #weights = new Map<string, number>();

  constructor(profile: AgentProfile) {
    const uses = new Map<string, Set<string>>();
    const phrases = profile.tasks.flatMap((task) =>
      task.phrases.map((phrase) => ({ task, words: new Set(Intent.contentOf(phrase)) })),
    );
    for (const { task, words } of phrases) {
      for (const word of words) uses.set(word, (uses.get(word) ?? new Set()).add(task.name));
    }
    for (const [word, tasks] of uses) this.#weights.set(word, 1 / tasks.size);
    for (const { task, words } of phrases) {
      if (words.size > 0) this.#samples.push({ task, words, weight: this.#weightOf(words) });
    }
  }

  /** The words of a phrase that tell what is wanted, without slots. A phrase of stop words keeps them. */
  static contentOf(phrase: string): string[] {
    const words = wordsOf(phrase.replace(/\{[^}]*\}/g, ' '));
    const content = words.filter((word) => !STOP_WORDS.has(word));
    return content.length > 0 ? content : words;
  }

  #weightOf(words: Iterable<string>): number {
    let weight = 0;
    for (const word of words) weight += this.#weights.get(word) ?? 0;
    return weight;
  }

  /** The best task, or null when none is near. Among equals the one with more words in common wins. */
  taskOf(words: readonly string[]): Task | null {
    const said = new Set(words);
    let best: { task: Task; rank: number } | null = null;
    for (const sample of this.#samples) {
      const common = [...sample.words].filter((word) => said.has(word));
      const weight = this.#weightOf(common);
      const score = weight / sample.weight;
      if (score < SCORE_MIN) continue;
      const rank = score * (1 + weight);
      if (best === null || rank > best.rank) best = { task: sample.task, rank };
    }
    return best?.task ?? null;
  }
}

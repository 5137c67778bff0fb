/** Paths into an answer: `order.lines[0].title`; `[*]` is every entry of a list, `$` the whole. */
type Step = string | number | typeof EVERY;

const EVERY = Symbol('[*]');
const STEP = /^(?:\.?([A-Za-z_$][A-Za-z0-9_$-]*)|\[(\d{1,6})\]|\[(\*)\])/;
/** Longest path, in steps. */
const STEPS_MAX = 16;
/** Entries that one `[*]` may take. */
const ENTRIES_MAX = 200;

/** The steps of a path; null when it is none. */
export function readPath(text: string): readonly Step[] | null {
  if (text === '$') return [];
  const steps: Step[] = [];
  let rest = text.startsWith('$.') ? text.slice(2) : text;
  if (rest === '' || rest.startsWith('.')) return null;
  while (rest !== '') {
    const match = STEP.exec(rest);
    if (match === null || steps.length >= STEPS_MAX) return null;
    const [whole, name, index, all] = match;
    // A name follows a name by a dot.
    if (name !== undefined && steps.length > 0 && !whole.startsWith('.')) return null;
    steps.push(name ?? (all === undefined ? Number(index) : EVERY));
    rest = rest.slice(whole.length);
  }
  return steps;
}

/** What a path leads to; null when it leads nowhere. Only an object's own fields count. */
export function follow(value: unknown, [step, ...rest]: readonly Step[]): unknown {
  if (step === undefined) return value ?? null;
  if (step === EVERY) {
    if (!Array.isArray(value)) return null;
    return value.slice(0, ENTRIES_MAX).map((one) => follow(one, rest));
  }
  if (typeof step === 'number') return Array.isArray(value) ? follow(value[step], rest) : null;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return null;
  return follow((value as Record<string, unknown>)[step], rest);
}
